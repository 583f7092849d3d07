"""Settings of an evaluation."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from zerosum.features.extractor import Extractor, extractor_from, extractor_named
from zerosum.game.device import choose_device
from zerosum.recipes.fit import convert_fields
from zerosum.recipes.reader import Known
from zerosum.recipes.using import own_instance

DEFAULT_FEATURES = "inception"
MIN_SAMPLES = 2  # in a set: one sample has no covariance


@dataclass(frozen=True)
class EvaluationConfig:
    """Settings of an evaluation.

    Attributes:
        features: feature extractor: an `Extractor`, a function of images, or a name as in `--features`; by default
            `inception`, which most papers use. Sets of features or points need none.
        n: maximum number of samples from each set; None for all.
        seed: random seed of generated samples, and of the selection from sets with more than n samples.
        batch: batch size of the extractor (does not affect scores).
        device: auto, cpu, cuda or mps, as in training (`choose_device`).
        cache: read and write cached features of the reference set.
        known: user-defined classes and functions by name, for metrics and features given by name, and for runs and
            sources given as text.

    Raises:
        ValueError: for numbers that are too small or a device that is not available.
    """

    features: str | Callable[[Tensor], Any] | None = None
    n: int | None = None
    seed: int = 0
    batch: int = 64
    device: str = "auto"
    cache: bool = True
    known: Known = field(default_factory=dict)

    def __post_init__(self) -> None:
        convert_fields(self)
        if self.n is not None and self.n < MIN_SAMPLES:
            raise ValueError(f"n, the number of samples from each set, must be at least {MIN_SAMPLES}; found {self.n}")
        if self.batch < 1:
            raise ValueError(f"batch, the batch size of the extractor, must be at least 1; found {self.batch}")

    @property
    def where(self) -> torch.device:
        """The device; raises `ValueError` if it is not available."""
        return choose_device(self.device)

    def extractor(self, progress: Callable[[int, int], None] | None = None) -> Extractor:
        """Return the feature extractor; raises `ValueError` if it is not available, and never falls back to another.

        `progress` is called with the number of bytes done and in total while weights are downloaded.
        """
        if isinstance(self.features, str):
            own = own_instance(self.features, self.known)
            if own is None:
                return extractor_named(self.features, self.where, progress)
            return extractor_from(own, self.features)
        if self.features is not None:
            return extractor_from(self.features, getattr(self.features, "__name__", type(self.features).__name__))
        try:
            return extractor_named(DEFAULT_FEATURES, self.where, progress)
        except ValueError as error:
            raise ValueError(
                f"{error}; or use other features, such as --features lite0, classifier:FILE, random-conv or pixels"
            ) from error
