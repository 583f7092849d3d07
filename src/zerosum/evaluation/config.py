"""How scores are made."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from zerosum.features.extractor import Extractor, extractor_named
from zerosum.game.device import choose_device
from zerosum.recipes.reader import Known

USUAL_FEATURES = "inception"
LEAST = 2  # samples of a side: one has no covariance


@dataclass(frozen=True)
class EvaluationConfig:
    """How scores are made, whatever the two sides are.

    Attributes:
        features: what looks at pictures: an extractor, or the name of one as `--features` takes it; by default that of
            most papers, `inception`. Sides that are features already need none.
        n: samples of each side at most; None for all there are.
        seed: which samples of a generator, and which of a set that has more than n.
        batch: pictures that the extractor sees together; it changes the memory taken, and no score.
        device: where networks compute: auto, cpu, cuda or mps, as in training (`choose_device`).
        cache: keep what was seen of the real side for the next time.
        known: what is somebody's own, by name: parts of recipes, for runs and sources that are given as text.

    Raises:
        ValueError: for numbers too small, or a device that is not there.
    """

    features: str | Extractor | None = None
    n: int | None = None
    seed: int = 0
    batch: int = 64
    device: str = "auto"
    cache: bool = True
    known: Known = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.n is not None and self.n < LEAST:
            raise ValueError(f"n counts samples of each side, at least {LEAST}, as one has no spread; found {self.n}")
        if self.batch < 1:
            raise ValueError(f"batch counts pictures seen together, at least 1; found {self.batch}")

    @property
    def where(self) -> torch.device:
        """The device that is meant; raises `ValueError` where it is not there."""
        return choose_device(self.device)

    def extractor(self, progress: Callable[[int, int], None] | None = None) -> Extractor:
        """What looks at pictures; raises `ValueError` where it cannot be had, and takes no other in its place.

        `progress` is told the bytes that have come, and of how many, where weights are fetched.
        """
        if isinstance(self.features, str):
            return extractor_named(self.features, self.where, progress)
        if self.features is not None:
            return self.features
        try:
            return extractor_named(USUAL_FEATURES, self.where, progress)
        except ValueError as error:
            raise ValueError(
                f"{error}; or score by other features, such as --features lite0, classifier:FILE, random-conv or pixels"
            ) from error
