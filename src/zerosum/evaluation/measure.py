"""What a metric is, functions as metrics, and metrics by name."""

import hashlib
import inspect
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple, Protocol, runtime_checkable

from torch import Tensor

from zerosum._rooms import public
from zerosum.evaluation.gathered import Gathered, Need
from zerosum.evaluation.groups_of_samples import GROUPS, jackknife, without

__all__ = ["FunctionMeasure", "Measure", "Needs", "Score", "ScoreInfo", "Sides"]

LOWER: Final = "lower"
HIGHER: Final = "higher"
GROUPED = f"error by leaving out each of {GROUPS} groups of generated samples"
OWN = "how to add one stands in docs/evaluate.md"
_HOME = "zerosum.evaluation.measures"

Direction = Literal["lower", "higher", ""]
Plain = Callable[[Tensor, Tensor], float]


class Score(NamedTuple):
    """A number that a metric returns.

    Attributes:
        value: the number.
        error: its standard error; None where it is unknown.
        pairs: indices int64 `(count, 2)` of generated and real samples that show it, for an image; None without such.
    """

    value: float
    error: float | None = None
    pairs: Tensor | None = None


class ScoreInfo(NamedTuple):
    """What is known of a score before it is computed.

    Attributes:
        better: which way it is better: "lower", "higher" or, where neither is, "".
        line: what it is, in a line.
        error: what its standard error covers, in a line; empty where it has none.
        alarm: where neither way is better, the one that says that something is wrong, or "" for none.
    """

    better: Direction
    line: str
    error: str = ""
    alarm: Direction = ""

    @property
    def worse(self) -> Direction:
        """The way that says that something is wrong, or ""."""
        if not self.better:
            return self.alarm
        return HIGHER if self.better == LOWER else LOWER


@dataclass(frozen=True)
class Needs:
    """What a metric needs of each set: any of moments, features, logits, labels, images.

    Attributes:
        real: of the real set; `moments` alone let saved moments stand for it.
        fake: of the generated set.
        held_out: of real samples that the generator was not trained on; empty where it needs none.
    """

    real: frozenset[Need] = frozenset()
    fake: frozenset[Need] = frozenset()
    held_out: frozenset[Need] = frozenset()

    @classmethod
    def both(cls, *needs: Need) -> "Needs":
        """The same of the real and of the generated set."""
        return cls(frozenset(needs), frozenset(needs))


@dataclass(frozen=True, eq=False)
class Sides:
    """What a metric is computed from.

    Attributes:
        real, fake: what was gathered of the two sets, at least what the metric needs.
        held_out: the same of held-out real samples; None where none were given.
        seed: of any random numbers that the metric draws.
        errors: whether standard errors are wanted; without them `jackknife` costs nothing.
    """

    real: Gathered
    fake: Gathered
    held_out: Gathered | None = None
    seed: int = 0
    errors: bool = True

    @property
    def features(self) -> tuple[Tensor, Tensor]:
        """The features of the real and of the generated set, `(N, d)` and `(M, d)`."""
        real, fake = self.real.features, self.fake.features
        assert real is not None and fake is not None, "a metric states that it needs features"
        return real, fake

    @property
    def labels(self) -> tuple[Tensor, Tensor]:
        """The labels of both, int64 `(N,)` and `(M,)`, counted as the real set counts its classes."""
        real, fake = self.real.labels, self.fake.labels
        assert real is not None and fake is not None, "a metric states that it needs labels"
        return real, fake

    def jackknife(self, estimate: Callable[..., float], *rows: Tensor) -> float | None:
        """The standard error of an estimate: a delete-a-group jackknife over ten groups of consecutive rows.

        Args:
            estimate: takes the rows that are left, and returns the number.
            rows: one or more tensors with a row for each generated sample.

        Returns:
            None where errors are not wanted, or for fewer than four rows.
        """
        if not self.errors:
            return None
        return jackknife([estimate(*some) for some in zip(*map(without, rows), strict=True)])


@runtime_checkable
class Measure(Protocol):
    """A metric: a frozen dataclass whose first docstring line says what it is, and whose fields are its options."""

    @property
    def name(self) -> str:
        """What `--metrics` calls it."""
        ...

    @property
    def needs(self) -> Needs:
        """What it needs of each set."""
        ...

    @property
    def gives(self) -> Mapping[str, ScoreInfo]:
        """Its scores by name, in the order in which they are shown."""
        ...

    @property
    def how(self) -> str:
        """What must agree, besides the sets and their features, before two such scores can be compared."""
        ...

    def __call__(self, sides: Sides) -> Mapping[str, Score]:
        """Compute the scores that `gives` names; raise `ValueError` where the sets do not allow it."""
        ...


class FunctionMeasure:
    """Any function of two sets of features as a metric, with a jackknife for its standard error.

    Args:
        call: takes real features `(N, d)` and generated ones `(M, d)`, and returns a number.
        name: of the metric and of its score; by default that of the function.
        better: "lower", "higher" or "", where neither is.

    Raises:
        ValueError: for a function without a name of its own, where none is given.
    """

    needs = Needs.both("features")

    def __init__(self, call: Plain, name: str = "", better: Direction = "") -> None:
        self.call, self.name = call, name or str(getattr(call, "__name__", ""))
        self._place = f"{call.__module__}:{getattr(call, '__qualname__', type(call).__qualname__)}"
        if not self.name.isidentifier() and not name:
            raise ValueError(f"a metric needs a name: give FunctionMeasure({self._place}, name=...)")
        info = ScoreInfo(better, f"The function {self._place}.", "other draws of the generated samples")
        self.gives: Mapping[str, ScoreInfo] = MappingProxyType({self.name: info})

    @property
    def how(self) -> str:
        """The function and a hash of its source: another source is another metric."""
        return f"{self._place}, source {_source(self.call)}; {GROUPED}"

    def __call__(self, sides: Sides) -> Mapping[str, Score]:
        """The number, and its standard error."""
        real, fake = sides.features

        def estimate(some: Tensor) -> float:
            return float(self.call(real, some))

        return {self.name: Score(estimate(fake), sides.jackknife(estimate, fake))}


def measure_kinds() -> dict[str, Callable[[], Measure]]:
    """The classes of the folder `measures`, by the name of their metric."""
    kinds = [kind for kind in public(_HOME).values() if isinstance(kind, type) and isinstance(kind, Measure)]
    return {kind.name: kind for kind in sorted(kinds, key=lambda kind: kind.name)}


def chosen(metrics: Iterable[str | Measure | Plain]) -> tuple[Measure, ...]:
    """The metrics that are meant, each once and in this order.

    Args:
        metrics: names of the metrics that there are, metrics, or plain functions as `FunctionMeasure` takes them.

    Raises:
        ValueError: for a name that there is not, for none at all, or for two metrics that give a score of one name.
    """
    found = [_meant(one) for one in dict.fromkeys(metrics)]
    if not found:
        raise ValueError(f"one metric or more is needed; there are {', '.join(measure_kinds())}")
    names = [name for measure in found for name in measure.gives]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ValueError(f"two metrics give a score {twice[0]!r}: rename one, or leave one out")
    return tuple(found)


def share(value: float, count: int) -> Score:
    """A share of so many samples, with its binomial error: the other set counts as fixed."""
    return Score(value, math.sqrt(value * (1 - value) / count))


def _meant(metric: str | Measure | Plain) -> Measure:
    if isinstance(metric, str):
        known = measure_kinds()
        if metric not in known:
            raise ValueError(f"no metric is called {metric!r}; there are {', '.join(known)}; {OWN}")
        return known[metric]()
    if isinstance(metric, type):
        raise ValueError(f"{metric.__name__} is a class: write {metric.__name__}(), with parentheses")
    if isinstance(metric, Measure):
        return metric
    if callable(metric):
        return FunctionMeasure(metric)
    raise ValueError(f"a metric is a name, a metric or a function of real and generated features; found {metric!r}")


def _source(call: Callable[..., Any]) -> str:
    """The beginning of the sha256 of a function's source; "unknown" where Python has none."""
    try:
        text = inspect.getsource(call if inspect.isroutine(call) else type(call))
    except (OSError, TypeError):
        return "unknown"
    return hashlib.sha256(text.encode()).hexdigest()[:16]
