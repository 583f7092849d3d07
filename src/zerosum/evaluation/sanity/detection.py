"""What scores notice and what they miss, seen on the user's own pictures: the distortion gallery."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any, NamedTuple

import torch
from torch import Tensor

from zerosum.evaluation.gathered import Gathered, Progress
from zerosum.evaluation.measure import HIGHER, Measure, Plain, ScoreInfo, Sides, chosen, measure_kinds
from zerosum.evaluation.sanity.corruption import OF_PICTURES, Distort, few, like, of_sets
from zerosum.features.extractor import Extractor
from zerosum.metrics.moments import moments_of

STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
SPLITS = 10  # divisions of the real pictures into halves, for the spread of each score
BEYOND = 3.0  # deviations from what real halves give, from which a score has noticed something
LEAST = 64  # pictures: a quarter is sampled and a quarter held out
SHOWN = 16  # pictures that stand for a set
DRAWS = 10  # few samples scatter, so that the mean of so many draws is what tells a bias
_ROWS = frozenset({"moments", "features", "logits"})  # what features of spoilt pictures and sets can give


@dataclass(frozen=True)
class Detection:
    """What a score makes of a distortion.

    Attributes:
        worse: the smallest strength from which on it says that samples are worse, None where at full strength it does
            not.
        praised: whether at some strength it says that they are better than real ones.
    """

    worse: float | None
    praised: bool


@dataclass(frozen=True, eq=False)
class Sanity:
    """How scores of real pictures against real pictures move when some of them are spoilt.

    Attributes:
        count: pictures on each of the two sides.
        features: what the extractor says of itself.
        strengths: from 0 to 1.
        spread: the deviation of each score over halves of the real pictures.
        curves: each score at each strength, by distortion and score; all begin at the same value.
        errors: the standard error of those scores that are the mean of several draws, likewise; 0 of others.
        pictures: what each distortion does, by its name: for each strength some pictures, uint8 `(n, H, W, C)`.
        infos: what is known of each score, by its name.
        notes: sentences that the user should read.
    """

    count: int
    features: Mapping[str, str]
    strengths: tuple[float, ...]
    spread: Mapping[str, float]
    curves: Mapping[str, Mapping[str, tuple[float, ...]]]
    errors: Mapping[str, Mapping[str, tuple[float, ...]]]
    pictures: Mapping[str, tuple[Tensor, ...]]
    infos: Mapping[str, ScoreInfo]
    notes: tuple[str, ...] = ()

    def notice(self, distortion: str, score: str) -> Detection:
        """What a score makes of a distortion."""
        moved = self.moved(distortion, score)
        worse = [move > BEYOND for move in moved]
        first = next((k for k in range(len(worse)) if all(worse[k:])), None)
        praised = bool(self.infos[score].better) and any(move < -BEYOND for move in moved)
        return Detection(None if first is None else self.strengths[first], praised)

    def moved(self, distortion: str, score: str) -> tuple[float, ...]:
        """How far a score has moved at each strength towards the worse, in deviations of real halves."""
        values, errors = self.curves[distortion][score], self.errors[distortion][score]
        sign = 1 if self.infos[score].worse == HIGHER else -1
        around = [math.hypot(self.spread[score], error) or 1e-12 for error in errors]
        return tuple(sign * (value - values[0]) / one for value, one in zip(values, around, strict=True))

    def as_dict(self) -> dict[str, Any]:
        """All but the pictures, as plain values."""
        return {
            "n": self.count,
            "features": dict(self.features),
            "strengths": list(self.strengths),
            "spread": dict(self.spread),
            "curves": {name: {score: list(c) for score, c in curves.items()} for name, curves in self.curves.items()},
            "errors": {name: {score: list(c) for score, c in curves.items()} for name, curves in self.errors.items()},
            "notices": {
                name: {score: vars(self.notice(name, score)) for score in curves}
                for name, curves in self.curves.items()
            },
            "notes": list(self.notes),
        }


def check_sanity(
    images: Tensor,
    extractor: Extractor,
    labels: Tensor | None = None,
    other: Tensor | None = None,
    seed: int = 0,
    batch: int = 64,
    progress: Progress | None = None,
    metrics: Sequence[str | Measure | Plain] | None = None,
) -> Sanity:
    """Spoil one half of real pictures in growing strength, and score it against the other half.

    The halves are by chance. How far a score scatters between such is known from ten other divisions; it notices a
    distortion where it moves beyond 3 deviations of that. The half that is scored against stands for the training set
    too, of which samples are known by heart; a metric that compares with held-out samples gets the first half of the
    spoilt ones, beside the second half as it was before.

    Args:
        images: uint8 `(N, H, W, C)`, C 1 or 3, at least 64.
        extractor: what looks at them.
        labels: their classes, int64 `(N,)`, which dropped modes go by; None where there are none.
        other: pictures of another set, `(M, H', W', C')`, brought to the same shape; None leaves contamination out.
        seed: of the halves and the distortions.
        batch: pictures seen together.
        progress: is told the pictures seen and those to be seen.
        metrics: as `evaluate` takes them; None for all that need no more than features and what logits there are. Of
            their scores, those count of which one direction is worse.

    Raises:
        ValueError: for too few pictures, or what does not fit.
    """
    _check_images(images)
    half = len(images) // 2
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))[: 2 * half]
    images, labels = images[order], None if labels is None else labels[order]
    foreign = None if other is None else like(other[:half], images)
    before = len(images) + (0 if foreign is None else len(foreign))
    look = _Look(extractor, batch, before + (len(STRENGTHS) - 1) * len(OF_PICTURES) * half, progress)
    whole, spoilt = look(images), images[half:]
    classes = None if labels is None else labels[half:]
    measures = _measures(metrics, has_logits=whole.shape[1] > look.width)
    sets = _Sets(whole[:half], whole[half:], look.width, measures)
    stages: dict[str, list[_Stage]] = {}
    for name, distort in OF_PICTURES.items():
        rows = (look(distort(spoilt, a, seed)) if a else sets.held_out for a in STRENGTHS)
        stages[name] = [_stage([sets.scores(some)]) for some in rows]
    for name, distort in of_sets(whole[:half], classes, None if foreign is None else look(foreign)).items():
        stages[name] = [_stage(_drawn(sets, distort, a, seed)) for a in STRENGTHS]
    infos = {name: info for measure in measures for name, info in measure.gives.items() if info.worse}
    return Sanity(
        half,
        dict(extractor.facts),
        STRENGTHS,
        _spread(whole, sets, seed),
        {name: _curve([stage.mean for stage in found]) for name, found in stages.items()},
        {name: _curve([stage.error for stage in found]) for name, found in stages.items()},
        _shown(images, labels, foreign, seed),
        infos,
        () if classes is not None else ("without labels there are no modes to drop",),
    )


def _check_images(images: Tensor) -> None:
    if images.dtype != torch.uint8 or images.dim() != 4 or len(images) < LEAST:
        raise ValueError(
            f"a gallery of distortions takes {LEAST} or more uint8 pictures (N, H, W, C); found "
            f"{str(images.dtype).removeprefix('torch.')} {tuple(images.shape)}"
        )


def _measures(metrics: Sequence[str | Measure | Plain] | None, has_logits: bool) -> tuple[Measure, ...]:
    """The metrics that are meant; raises `ValueError` for one that needs more than features and logits."""
    there = _ROWS if has_logits else _ROWS - {"logits"}
    found = chosen([kind() for kind in measure_kinds().values()] if metrics is None else metrics)
    fitting = [one for one in found if one.needs.real | one.needs.fake | one.needs.held_out <= there]
    strange = [] if metrics is None else [measure.name for measure in found if measure not in fitting]
    if strange:
        raise ValueError(
            f"spoilt pictures are scored by metrics of {', '.join(sorted(there))}; {strange[0]} needs more"
        )
    return tuple(one for one in fitting if any(info.worse for info in one.gives.values()))


class _Look:
    """An extractor whose features and logits stand in one row, which counts the pictures that it has seen."""

    def __init__(self, extractor: Extractor, batch: int, total: int, progress: Progress | None) -> None:
        self.extractor, self.batch, self.total, self.progress = extractor, batch, total, progress
        self.done = self.width = 0

    def __call__(self, images: Tensor) -> Tensor:
        """Rows `(N, width + classes)`."""
        rows = []
        for some in torch.split(images, self.batch):
            seen = self.extractor(some)
            self.width = seen.features.shape[1]
            rows.append(seen.features if seen.logits is None else torch.cat([seen.features, seen.logits], 1))
            self.done += len(some)
            if self.progress is not None:
                self.progress(self.done, self.total)
        return torch.cat(rows)


@dataclass(frozen=True, eq=False)
class _Sets:
    """What is scored against: rows of features, `width` of them, and logits; and the metrics that score."""

    real: Tensor
    held_out: Tensor
    width: int
    measures: Sequence[Measure]

    def scores(self, rows: Tensor) -> dict[str, float]:
        """Every score of rows that stand for generated ones."""
        found: dict[str, float] = {}
        for measure in self.measures:
            judged, held_out = rows, None
            if measure.needs.held_out:
                judged, held_out = rows[: len(rows) // 2], self._gathered(self.held_out[len(self.held_out) // 2 :])
            by_moments = "moments" in measure.needs.real | measure.needs.fake
            real, fake = self._gathered(self.real, by_moments), self._gathered(judged, by_moments)
            given = measure(Sides(real, fake, held_out, errors=False))
            found |= {name: score.value for name, score in given.items() if measure.gives[name].worse}
        return found

    def _gathered(self, rows: Tensor, by_moments: bool = False) -> Gathered:
        features, logits = rows[:, : self.width], rows[:, self.width :]
        moments = moments_of(features) if by_moments else None
        known = logits if logits.shape[1] else None
        return Gathered("pictures", len(rows), "", moments, features=features, logits=known)


class _Stage(NamedTuple):
    """Every score at one strength, the mean of draws with its standard error, by name."""

    mean: dict[str, float]
    error: dict[str, float]


def _stage(draws: Sequence[Mapping[str, float]]) -> _Stage:
    found = _curve(draws)
    errors = {name: stdev(v) / math.sqrt(len(v)) if len(v) > 1 else 0.0 for name, v in found.items()}
    return _Stage({name: fmean(values) for name, values in found.items()}, errors)


def _drawn(sets: _Sets, distort: Distort, strength: float, seed: int) -> list[dict[str, float]]:
    """Every score of a set that is spoilt, for fewer samples of many draws."""
    draws = DRAWS if distort is few and strength else 1
    return [sets.scores(distort(sets.held_out, strength, seed + k)) for k in range(draws)]


def _curve(scores: Sequence[Mapping[str, float]]) -> dict[str, tuple[float, ...]]:
    return {name: tuple(one[name] for one in scores) for name in scores[0]}


def _spread(whole: Tensor, sets: _Sets, seed: int) -> dict[str, float]:
    """The deviation of each score of one half of the real rows against the other, over chance divisions."""
    half, draw = len(whole) // 2, torch.Generator().manual_seed(seed + 1)
    found = []
    for _ in range(SPLITS):
        rows = whole[torch.randperm(len(whole), generator=draw)]
        found.append(_Sets(rows[:half], rows[half:], sets.width, sets.measures).scores(rows[half:]))
    return {name: stdev(values) for name, values in _curve(found).items()}


def _shown(images: Tensor, labels: Tensor | None, other: Tensor | None, seed: int) -> dict[str, tuple[Tensor, ...]]:
    """What every distortion does to the first picture, or to sixteen that stand for the set."""
    half = len(images) // 2
    some = slice(half, half + SHOWN)
    first = {
        name: tuple(distort(images[half : half + 1], a, seed) for a in STRENGTHS)
        for name, distort in OF_PICTURES.items()
    }
    sets = of_sets(images[:SHOWN], None if labels is None else labels[some], None if other is None else other[:SHOWN])
    return first | {name: tuple(distort(images[some], a, seed) for a in STRENGTHS) for name, distort in sets.items()}
