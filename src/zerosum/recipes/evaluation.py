"""Periodic evaluation during training, as a value."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from zerosum.recipes.own_networks import own_name


@dataclass(frozen=True)
class Evaluation:
    """Evaluate a run's samples against its data at regular intervals and at its end.

    Training is bit-identical with and without it. The generator with the best score `best` is kept: a score counts as
    better if it is so by more than two standard errors of the difference.

    Attributes:
        metrics: names of metrics, as for `zerosum evaluate --metrics`; metrics with options, such as `PRDC(k=5)`, or of
            your own; or functions of real and generated features. A function is stored by its name.
        every: interval between evaluations, in training images.
        features: feature extractor: a built-in name as for `--features`, a function of images, which is stored by its
            name, or an extractor of your own that is a frozen dataclass; None for the default, inception.
        n: largest number of real and of generated samples; fewer are cheaper, with larger standard errors.
        seed: random seed of the samples.
        best: the score that selects the best generator, such as `fid` or `recall`; by default `kid` if it is among
            the metrics, otherwise no best generator is kept.
        known: user-defined functions and classes by name, for names in `metrics` and `features`. Recipe text does not
            include it: whoever reads the text passes `known` or `--use` again.
    """

    metrics: tuple[str | Callable[..., Any], ...] = ("fid", "kid")
    every: int = 50_000
    features: str | Callable[[Tensor], Any] | None = None
    n: int = 2_048
    seed: int = 0
    best: str | None = None
    known: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.metrics, tuple) or not self.metrics:
            raise ValueError(f"metrics is a tuple of names, like ('fid', 'kid'); found {self.metrics!r}")
        if self.every < 1:
            raise ValueError(f"every is the number of images between two evaluations, at least 1; found {self.every}")
        if self.n < 2:
            raise ValueError(f"n is the number of samples per set in an evaluation, at least 2; found {self.n}")
        self._hold_functions_by_name()

    def _hold_functions_by_name(self) -> None:
        known = dict(self.known)
        for given in (*self.metrics, self.features):
            if inspect.isfunction(given) and known.setdefault(own_name(given), given) is not given:
                raise ValueError(f"two functions of an evaluation are called {own_name(given)!r}: rename one")
        *metrics, features = (
            own_name(given) if inspect.isfunction(given) else given for given in (*self.metrics, self.features)
        )
        names = [name for name in (*metrics, features) if isinstance(name, str) and name in known]
        for name, value in (("metrics", (*metrics,)), ("features", features), ("known", {n: known[n] for n in names})):
            object.__setattr__(self, name, value)
