"""The scores there are, by name: what each needs of the two sides, and what it gives."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

import torch

from zerosum.evaluation.gathering import Gathered, Need
from zerosum.evaluation.parts import GROUPS, jackknife, without
from zerosum.metrics.class_accuracy import classification_accuracy_score
from zerosum.metrics.classifier import SEEN as SHOWN
from zerosum.metrics.frechet import (
    frechet_distance,
    frechet_distance_from_moments,
    frechet_infinity,
    intra_class_frechet,
)
from zerosum.metrics.kernel import kernel_distance
from zerosum.metrics.logits import inception_score
from zerosum.metrics.neighbours import density_coverage, nearest_neighbours, precision_recall
from zerosum.metrics.wasserstein import sliced_wasserstein

LOWER, HIGHER = "lower", "higher"
PAIRS = 12  # of a sample and its nearest real one, the nearest of all, that are shown
NEIGHBOUR, BALLS = 3, 5  # k of precision and recall, k of density and coverage: those of their papers


class Score(NamedTuple):
    """A number; its standard error, None where none can be told; and what shows it.

    That is pairs of a generated and a real sample, their indices int64 `(count, 2)`, which a picture is made of.
    """

    value: float
    error: float | None = None
    pairs: torch.Tensor | None = None


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
    first, second = sides.real.features, sides.fake.features
    if first is not None and second is not None and len(first) * len(second) <= first.shape[1] ** 2:
        # The same number, sooner: among samples, where there are fewer of these than dimensions.
        without_each = [frechet_distance(first, some) for some in without(second)]
        return {"fid": Score(frechet_distance(first, second), jackknife(without_each))}
    real, parts = sides.real.moments, sides.fake.parts
    assert real is not None and parts is not None
    distance = partial(frechet_distance_from_moments, real)
    return {"fid": Score(distance(parts.whole()), jackknife([*map(distance, parts.without())]))}


def _frechet_infinity(sides: Sides) -> dict[str, Score]:
    found = frechet_infinity(*_features(sides), seed=sides.seed)
    return {"fid-infinity": Score(found.value, found.standard_error)}


def _kernel(sides: Sides) -> dict[str, Score]:
    found = kernel_distance(*_features(sides))
    return {"kid": Score(found.value, found.standard_error)}


def _inception(sides: Sides) -> dict[str, Score]:
    logits = sides.fake.logits
    assert logits is not None
    without_each = [inception_score(some).value for some in without(logits)]
    return {"is": Score(inception_score(logits).value, jackknife(without_each))}


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


def _sliced(sides: Sides) -> dict[str, Score]:
    real, fake = _features(sides)
    without_each = [sliced_wasserstein(real, some, seed=sides.seed) for some in without(fake)]
    return {"swd": Score(sliced_wasserstein(real, fake, seed=sides.seed), jackknife(without_each))}


def _memorisation(sides: Sides) -> dict[str, Score]:
    train, samples = _features(sides)
    assert sides.held_out is not None and sides.held_out.features is not None
    found = nearest_neighbours(samples, train, sides.held_out.features)
    # The statistic is a standard normal number where nothing was memorised, so its error there is 1.
    return {
        "memorisation": Score(found.statistic, 1.0, found.pairs(PAIRS)),
        "memorisation-closer": Score(found.closer),
        "memorisation-p": Score(found.p_value),
    }


def _by_class(sides: Sides) -> dict[str, Score]:
    (real, fake), (those, these) = _features(sides), _labels(sides)
    value = intra_class_frechet(real, those, fake, these).value
    enough = int(torch.bincount(these).min()) >= 2 * GROUPS  # so that no class is lost with a group
    pairs = zip(without(fake), without(these), strict=True) if enough else ()
    return {"intra-fid": Score(value, jackknife([intra_class_frechet(real, those, *pair).value for pair in pairs]))}


def _accuracy(sides: Sides) -> dict[str, Score]:
    (those, these), (real, fake) = _labels(sides), (sides.real.images, sides.fake.images)
    assert real is not None and fake is not None
    classes = int(max(those.max(), these.max())) + 1
    shown, read = (images.permute(0, 3, 1, 2).contiguous() for images in (fake, real))
    found = classification_accuracy_score(shown, these, read, those, classes, sides.seed, SHOWN)
    return {"cas": Score(found.value, found.standard_error)}


def _share(value: float, count: int) -> Score:
    """A share of so many samples, with its binomial error: the other side is held as it is."""
    return Score(value, math.sqrt(value * (1 - value) / count))


def _features(sides: Sides) -> tuple[torch.Tensor, torch.Tensor]:
    real, fake = sides.real.features, sides.fake.features
    assert real is not None and fake is not None
    return real, fake


def _labels(sides: Sides) -> tuple[torch.Tensor, torch.Tensor]:
    those, these = sides.real.labels, sides.fake.labels
    assert those is not None and these is not None
    return those, these


_MOMENTS: frozenset[Need] = frozenset({"moments"})
_FEATURES: frozenset[Need] = frozenset({"features"})
_BY_CLASS: frozenset[Need] = frozenset({"features", "labels"})
_PICTURES: frozenset[Need] = frozenset({"images", "labels"})
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
        "fid-infinity",
        "the Frechet distance led to endlessly many samples, without that bias",
        "line over 1/N through whole, halves and thirds; error from the spread between these",
        MappingProxyType({"fid-infinity": LOWER}),
        _FEATURES,
        _FEATURES,
        _frechet_infinity,
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
    Measure(
        "swd",
        "Wasserstein distance of the features along random directions",
        f"500 seeded directions, order 2; error by leaving out each of {GROUPS} groups of generated samples",
        MappingProxyType({"swd": LOWER}),
        _FEATURES,
        _FEATURES,
        _sliced,
    ),
    Measure(
        "memorisation",
        "whether samples lie nearer to the real side, trained on, than held-out samples do: far below 0 for copies",
        "C_T over one cell, its error 1 where nothing is memorised",
        MappingProxyType({"memorisation": "", "memorisation-closer": "", "memorisation-p": ""}),
        _FEATURES,
        _FEATURES,
        _memorisation,
        _FEATURES,
    ),
    Measure(
        "intra-fid",
        "the mean of the Frechet distances within each class",
        f"covariances over N - 1; error by leaving out each of {GROUPS} groups of generated samples",
        MappingProxyType({"intra-fid": LOWER}),
        _BY_CLASS,
        _BY_CLASS,
        _by_class,
    ),
    Measure(
        "cas",
        "the share of the real side that a classifier taught by generated samples reads right",
        f"a small classifier shown {SHOWN:,} pictures; binomial error",
        MappingProxyType({"cas": HIGHER}),
        _PICTURES,
        _PICTURES,
        _accuracy,
    ),
)
