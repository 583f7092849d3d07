"""The metric protocol, functions as metrics, and metrics by name."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor

from zerosum._rooms import public
from zerosum.evaluation._functions import file_of, source_of
from zerosum.evaluation.gathered import Gathered, Need
from zerosum.features.identity import REFUSALS, rounded
from zerosum.metrics.jackknife import GROUPS, jackknife, leave_one_out
from zerosum.recipes.reader import NOTHING, Known
from zerosum.recipes.using import own_instance

__all__ = ["FunctionMeasure", "Measure", "MeasureInput", "Needs", "Score", "ScoreInfo"]

LOWER: Final = "lower"
HIGHER: Final = "higher"
GROUPED = f"error by leaving out each of {GROUPS} groups of generated samples"
SEE_ALSO = "docs/evaluate.md explains how to add one"
_HOME = "zerosum.evaluation.measures"
_WIDTH, _COUNTS = 16, (64, 48)  # of the fixed features by whose value a function is identified

Direction = Literal["lower", "higher", ""]
MetricFunction = Callable[[Tensor, Tensor], float]


class Score(NamedTuple):
    """A number that a metric returns.

    Attributes:
        value: the number.
        error: its standard error; None if unknown.
        pairs: indices int64 `(count, 2)` of generated and real samples that illustrate it; None for most metrics.
    """

    value: float
    error: float | None = None
    pairs: Tensor | None = None


class ScoreInfo(NamedTuple):
    """Description of a score.

    Attributes:
        better: the better direction: "lower", "higher" or "" for neither.
        line: a one-line description.
        error: what its standard error covers, in one line; empty if it has none.
        alarm: if neither direction is better, the one that indicates a problem, or "" for none.
    """

    better: Direction
    line: str
    error: str = ""
    alarm: Direction = ""

    @property
    def worse(self) -> Direction:
        """The direction that indicates a problem, or ""."""
        if not self.better:
            return self.alarm
        return HIGHER if self.better == LOWER else LOWER


@dataclass(frozen=True)
class Needs:
    """What a metric needs of each set: any of moments, features, logits, labels, images, texts, pairs, conditions,
    captions, or paths.

    With `pairs` in both, images of a generator are those under the conditions of the real images, in their order. With
    `conditions` beside, these are derived from both; `captions` are those of the real set.

    Attributes:
        real: of the reference set; if only `moments`, saved moments can be used instead.
        fake: of the generated set.
        held_out: of real samples that the generator was not trained on; empty if it needs none.
    """

    real: frozenset[Need] = frozenset()
    fake: frozenset[Need] = frozenset()
    held_out: frozenset[Need] = frozenset()

    @classmethod
    def both(cls, *needs: Need) -> "Needs":
        """The same needs for the reference and the generated set."""
        return cls(frozenset(needs), frozenset(needs))


@dataclass(frozen=True, eq=False)
class MeasureInput:
    """The input of a metric.

    Attributes:
        real, fake: moments, features, etc. of the reference and the generated set, at least what the metric needs.
        held_out: the same of held-out real samples; None if there are none.
        seed: random seed of the metric.
        errors: whether to compute standard errors; if not, `score` returns none, at no cost.
    """

    real: Gathered
    fake: Gathered
    held_out: Gathered | None = None
    seed: int = 0
    errors: bool = True

    @property
    def features(self) -> tuple[Tensor, Tensor]:
        """The features of the reference and the generated set, `(N, d)` and `(M, d)`."""
        return _needed("features", self.real.features, self.fake.features)

    @property
    def texts(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The texts of the reference and the generated set."""
        assert self.real.texts is not None and self.fake.texts is not None, "texts must be listed in needs"
        return self.real.texts, self.fake.texts

    @property
    def pairs(self) -> tuple[Tensor, Tensor]:
        """Real and generated images that belong together, uint8 `(N, H, W, C)` each."""
        return _needed("pairs", self.real.images, self.fake.images)

    @property
    def conditions(self) -> tuple[Tensor, Tensor]:
        """The conditions derived from real and from generated images of `pairs`, `(N, ...)` each."""
        return _needed("conditions", self.real.conditions, self.fake.conditions)

    @property
    def labels(self) -> tuple[Tensor, Tensor]:
        """The labels of both sets, int64 `(N,)` and `(M,)`, numbered as in the reference set."""
        return _needed("labels", self.real.labels, self.fake.labels)

    def score(self, estimate: Callable[..., float], *rows: Tensor) -> Score:
        """An estimate with its standard error by a delete-a-group jackknife over ten groups of consecutive rows.

        Args:
            estimate: maps rows to a number.
            rows: one or more tensors with one row per generated sample.

        Returns:
            The score; without error if errors are disabled, or for fewer than four rows.
        """
        value = estimate(*rows)
        if not self.errors:
            return Score(value)
        return Score(value, jackknife([estimate(*some) for some in zip(*map(leave_one_out, rows), strict=True)]))


def _needed(name: str, real: Tensor | None, fake: Tensor | None) -> tuple[Tensor, Tensor]:
    assert real is not None and fake is not None, f"a metric that uses {name} must list them in needs"
    return real, fake


@runtime_checkable
class Measure(Protocol):
    """A metric: a frozen dataclass whose first docstring line describes it and whose fields are its options."""

    @property
    def name(self) -> str:
        """Its name in `--metrics`."""
        ...

    @property
    def needs(self) -> Needs:
        """Its inputs, for each set."""
        ...

    @property
    def gives(self) -> Mapping[str, ScoreInfo]:
        """Its scores by name, in display order."""
        ...

    @property
    def how(self) -> str:
        """The settings that must be equal, besides the sets and features, for two scores to be comparable."""
        ...

    def __call__(self, inputs: MeasureInput) -> Mapping[str, Score]:
        """Compute the scores listed in `gives`; raises `ValueError` if the sets do not allow it."""
        ...


class FunctionMeasure:
    """Any function of real and generated features as a metric, with a jackknife standard error.

    Args:
        call: maps real features `(N, d)` and generated features `(M, d)` to a number.
        name: of the metric and of its score; by default the name of the function.
        better: the better direction: "lower", "higher" or "" for neither.

    Raises:
        ValueError: for a function without a name, such as a lambda, if `name` is not given.
    """

    needs = Needs.both("features")

    def __init__(self, call: MetricFunction, name: str = "", better: Direction = "") -> None:
        self.call, self.name = call, name or str(getattr(call, "__name__", ""))
        self._place = f"{file_of(call)}:{getattr(call, '__qualname__', type(call).__qualname__)}"
        if not self.name.isidentifier() and not name:
            raise ValueError(f"a metric needs a name: give FunctionMeasure({self._place}, name=...)")
        info = ScoreInfo(better, f"The function {self._place}.", "sampling of the generated set")
        self.gives: Mapping[str, ScoreInfo] = MappingProxyType({self.name: info})

    @property
    def how(self) -> str:
        """The function, a hash of its source code, and its value for fixed features: if one changes, it is another."""
        return f"{self._place}, source {source_of(self.call)}, answer {self._answer()}; {GROUPED}"

    def _answer(self) -> str:
        """The value for fixed features, which also depends on what the function calls, loads and was made with."""
        draw = torch.Generator().manual_seed(0)
        real, fake = (torch.randn(count, _WIDTH, generator=draw) for count in _COUNTS)
        try:
            return rounded(torch.tensor([float(self.call(real, fake))], dtype=torch.float64))
        except REFUSALS:
            return "none"

    def __call__(self, inputs: MeasureInput) -> Mapping[str, Score]:
        """Return the value and its standard error."""
        real, fake = inputs.features

        def estimate(some: Tensor) -> float:
            return float(self.call(real, some))

        return {self.name: inputs.score(estimate, fake)}


def measure_kinds() -> dict[str, Callable[[], Measure]]:
    """The metric classes of the folder `measures`, by name."""
    kinds = [kind for kind in public(_HOME).values() if isinstance(kind, type) and isinstance(kind, Measure)]
    return {kind.name: kind for kind in sorted(kinds, key=lambda kind: kind.name)}


def chosen(metrics: Iterable[str | Measure | MetricFunction], known: Known = NOTHING) -> tuple[Measure, ...]:
    """Resolve metrics, without duplicates and in the given order.

    Args:
        metrics: names of metrics, metrics, or plain functions as `FunctionMeasure` takes them.
        known: user-defined metrics and functions by name; they take precedence.

    Raises:
        ValueError: for an unknown name, an empty list, or two metrics with a score of the same name.
    """
    found = [_meant(one, known) for one in dict.fromkeys(metrics)]
    if not found:
        raise ValueError(f"at least one metric is needed; available are {', '.join(measure_kinds())}")
    names = [name for measure in found for name in measure.gives]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ValueError(f"two metrics return a score named {twice[0]!r}: rename or remove one")
    return tuple(found)


def protocol_of(measure: Measure) -> str:
    """How a metric computes its scores: its `how` and, for a class of the user, the hash of its source code."""
    source = "unknown" if type(measure).__module__.startswith("zerosum.") else source_of(measure)
    return measure.how if source == "unknown" else f"{measure.how}; source {source}"


def computed(measure: Measure, inputs: MeasureInput) -> Mapping[str, Score]:
    """The scores of a metric; raises `ValueError` if they are not the ones that it lists."""
    found = measure(inputs)
    if found.keys() != measure.gives.keys():
        names, given = (", ".join(some) or "none" for some in (measure.gives, found))
        raise ValueError(f"the metric {measure.name} should return the scores {names}; found {given}")
    return found


def _meant(metric: str | Measure | MetricFunction, known: Known = NOTHING) -> Measure:
    if isinstance(metric, str):
        own = own_instance(metric, known)
        if own is not None:
            return _meant(own)
        kinds = measure_kinds()
        if metric not in kinds:
            raise ValueError(
                f"unknown metric {metric!r}; available are {', '.join(kinds)}; if it is yours, pass --use FILE.py (or "
                f"known= in Python); {SEE_ALSO}"
            )
        return kinds[metric]()
    if isinstance(metric, type):
        raise ValueError(f"{metric.__name__} is a class: pass an instance, {metric.__name__}()")
    if isinstance(metric, Measure):
        return metric
    if callable(metric):
        return FunctionMeasure(metric)
    raise ValueError(
        f"a metric should be a name, a Measure or a function of real and generated features; found {metric!r}"
    )
