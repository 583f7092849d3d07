"""The scores there are, by name: what each needs of the two sides, and what it gives."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import torch

from zerosum.evaluation.gathering import Gathered, Need
from zerosum.evaluation.parts import GROUPS, jackknife
from zerosum.metrics.frechet import frechet_distance_from_moments
from zerosum.metrics.kernel import kernel_distance
from zerosum.metrics.logits import inception_score
from zerosum.metrics.neighbours import density_coverage, precision_recall

LOWER, HIGHER = "lower", "higher"
NEIGHBOUR, BALLS = 3, 5  # k of precision and recall, k of density and coverage: those of their papers


class Score(NamedTuple):
    """A number and its standard error, which is None where none can be told."""

    value: float
    error: float | None = None


@dataclass(frozen=True, eq=False)
class Sides:
    """What a measure is given.

    Attributes:
        real, fake: what was gathered of the two.
        held_out: of real samples that the generator was not trained on; None where none were given.
        seed: of what chance the measure needs.
    """

    real: Gathered
    fake: Gathered
    held_out: Gathered | None
    seed: int


@dataclass(frozen=True)
class Measure:
    """A way to score.

    Attributes:
        name: as `--metrics` takes it.
        line: what it is, in a line.
        how: what else must agree before two such scores can be compared.
        gives: the scores, by name, and which way each is better: lower, higher, or neither (an empty text).
        real: what it needs of the real side.
        fake: what it needs of the generated side.
        held_out: what it needs of held-out samples; nothing where it needs none.
        compute: its scores, by the names of `gives`.
    """

    name: str
    line: str
    how: str
    gives: Mapping[str, str]
    real: frozenset[Need]
    fake: frozenset[Need]
    compute: Callable[[Sides], dict[str, Score]]
    held_out: frozenset[Need] = frozenset()


def chosen(names: Iterable[str]) -> tuple[Measure, ...]:
    """The measures of these names; raises `ValueError` for one that is not there, or for none at all."""
    known = {measure.name: measure for measure in MEASURES}
    wanted = list(dict.fromkeys(names))
    strange = [name for name in wanted if name not in known]
    if strange or not wanted:
        raise ValueError(f"no metric is called {', '.join(strange) or 'nothing'!r}; there are {', '.join(known)}")
    return tuple(known[name] for name in wanted)


def _frechet(sides: Sides) -> dict[str, Score]:
    real, fake = sides.real.moments, sides.fake.moments
    assert real is not None and fake is not None
    parts = [] if sides.fake.parts is None else sides.fake.parts.leaving_out()
    without = [frechet_distance_from_moments(real, part) for part in parts]
    return {"fid": Score(frechet_distance_from_moments(real, fake), jackknife(without))}


def _kernel(sides: Sides) -> dict[str, Score]:
    found = kernel_distance(*_features(sides))
    return {"kid": Score(found.value, found.standard_error)}


def _inception(sides: Sides) -> dict[str, Score]:
    logits = sides.fake.logits
    assert logits is not None
    groups = torch.arange(len(logits)) * min(GROUPS, len(logits) // 2) // len(logits)
    without = [inception_score(logits[groups != group]).value for group in range(int(groups[-1]) + 1)]
    return {"is": Score(inception_score(logits).value, jackknife(without))}


def _neighbours(sides: Sides) -> dict[str, Score]:
    real, fake = _features(sides)
    n, m = len(real), len(fake)
    one, two = precision_recall(real, fake, NEIGHBOUR), density_coverage(real, fake, BALLS)
    return {
        "precision": _share(one.precision, m),
        "recall": _share(one.recall, n),
        "density": Score(two.density),
        "coverage": _share(two.coverage, n),
    }


def _share(value: float, count: int) -> Score:
    """A share of so many samples, with its binomial error: the other side is held as it is."""
    return Score(value, math.sqrt(value * (1 - value) / count))


def _features(sides: Sides) -> tuple[torch.Tensor, torch.Tensor]:
    real, fake = sides.real.features, sides.fake.features
    assert real is not None and fake is not None
    return real, fake


_MOMENTS: frozenset[Need] = frozenset({"moments"})
_FEATURES: frozenset[Need] = frozenset({"features"})
_NOTHING: frozenset[Need] = frozenset()

MEASURES = (
    Measure(
        "fid",
        "Frechet distance of the features taken as Gaussians (FID); biased upwards for few samples",
        f"covariances over N - 1; error by leaving out each of {GROUPS} groups of generated samples",
        MappingProxyType({"fid": LOWER}),
        _MOMENTS,
        _MOMENTS,
        _frechet,
    ),
    Measure(
        "kid",
        "squared MMD of the features under a cubic kernel (KID), unbiased at any N",
        "(x.y / d + 1)^3 over all pairs; error of the U-statistic",
        MappingProxyType({"kid": LOWER}),
        _FEATURES,
        _FEATURES,
        _kernel,
    ),
    Measure(
        "is",
        "inception score of the generated samples alone: sure and even classes",
        f"one split; error by leaving out each of {GROUPS} groups",
        MappingProxyType({"is": HIGHER}),
        _NOTHING,
        frozenset({"logits"}),
        _inception,
    ),
    Measure(
        "prdc",
        "precision and recall, density and coverage, by nearest neighbours",
        f"k = {NEIGHBOUR} for precision and recall, {BALLS} for density and coverage; binomial errors of the shares",
        MappingProxyType({"precision": HIGHER, "recall": HIGHER, "density": HIGHER, "coverage": HIGHER}),
        _FEATURES,
        _FEATURES,
        _neighbours,
    ),
)
