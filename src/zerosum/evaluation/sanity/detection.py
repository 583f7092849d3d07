"""Distortion gallery: which metrics detect which corruption of the user's own images."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any, NamedTuple

import torch
from torch import Tensor

from zerosum.evaluation.gathered import Gathered, Progress
from zerosum.evaluation.measure import HIGHER, Measure, MeasureInput, MetricFunction, ScoreInfo, chosen, measure_kinds
from zerosum.evaluation.sanity.corruption import IMAGE_DISTORTIONS, Distort, few, resized_like, set_distortions
from zerosum.features.extractor import Extractor
from zerosum.metrics.moments import moments_of

STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
SPLITS = 10  # random splits of the real images into halves, for the standard deviation of each score
BEYOND = 3.0  # standard deviations of real halves beyond which a score detects a distortion
MIN_IMAGES = 64  # a quarter is sampled and a quarter held out
EXAMPLES = 16  # images that represent a set in the gallery
DRAWS = 10  # scores of few samples are noisy: their bias is estimated by the mean over so many draws
_ROWS = frozenset({"moments", "features", "logits"})  # available from the features of corrupted images and sets


@dataclass(frozen=True)
class Detection:
    """How a score responds to a distortion.

    Attributes:
        strength: the smallest strength from which on the score is significantly worse; None if it is insensitive.
        rewarded: whether at some strength the score is significantly better than that of real samples.
    """

    strength: float | None
    rewarded: bool


@dataclass(frozen=True, eq=False)
class Sanity:
    """How scores of corrupted real images against real images change with the strength of the corruption.

    Attributes:
        count: number of images in each of the two halves.
        features: facts of the feature extractor.
        strengths: from 0 to 1.
        spread: standard deviation of each score over random halves of the real images.
        curves: each score at each strength, by distortion and score; all start at the same value.
        errors: standard errors of scores averaged over several draws, by distortion and score; 0 for other scores.
        images: examples of each distortion, by name: for each strength some images, uint8 `(n, H, W, C)`.
        infos: the description of each score, by name.
        notes: messages for the user.
    """

    count: int
    features: Mapping[str, str]
    strengths: tuple[float, ...]
    spread: Mapping[str, float]
    curves: Mapping[str, Mapping[str, tuple[float, ...]]]
    errors: Mapping[str, Mapping[str, tuple[float, ...]]]
    images: Mapping[str, tuple[Tensor, ...]]
    infos: Mapping[str, ScoreInfo]
    notes: tuple[str, ...] = ()

    def detection(self, distortion: str, score: str) -> Detection:
        """How a score responds to a distortion."""
        shift = self.shift(distortion, score)
        worse = [change > BEYOND for change in shift]
        first = next((k for k in range(len(worse)) if all(worse[k:])), None)
        rewarded = bool(self.infos[score].better) and any(change < -BEYOND for change in shift)
        return Detection(None if first is None else self.strengths[first], rewarded)

    def shift(self, distortion: str, score: str) -> tuple[float, ...]:
        """Change of a score for the worse at each strength, in standard deviations over real halves."""
        values, errors = self.curves[distortion][score], self.errors[distortion][score]
        sign = 1 if self.infos[score].worse == HIGHER else -1
        around = [math.hypot(self.spread[score], error) or 1e-12 for error in errors]
        return tuple(sign * (value - values[0]) / one for value, one in zip(values, around, strict=True))

    def as_dict(self) -> dict[str, Any]:
        """Everything but the images, as plain values."""
        return {
            "n": self.count,
            "features": dict(self.features),
            "strengths": list(self.strengths),
            "spread": dict(self.spread),
            "curves": {name: {score: list(c) for score, c in curves.items()} for name, curves in self.curves.items()},
            "errors": {name: {score: list(c) for score, c in curves.items()} for name, curves in self.errors.items()},
            "detections": {
                name: {score: vars(self.detection(name, score)) for score in curves}
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
    metrics: Sequence[str | Measure | MetricFunction] | None = None,
) -> Sanity:
    """Corrupt one half of real images with increasing strength, and score it against the other half.

    The halves are random. The standard deviation of a score is estimated from ten other random splits; a score detects
    a distortion if it changes by more than 3 of these standard deviations. The reference half also serves as the
    training set for memorisation; a metric that needs held-out samples gets the first half of the corrupted images,
    and the second half before corruption as held-out samples.

    Args:
        images: uint8 `(N, H, W, C)`, C 1 or 3, at least 64.
        extractor: the feature extractor.
        labels: class labels, int64 `(N,)`, for dropped modes; None without classes.
        other: images of another set, `(M, H', W', C')`, resized to the same shape; None omits contamination.
        seed: of the halves and the distortions.
        batch: batch size of the extractor.
        progress: called with the number of images done and in total.
        metrics: as in `evaluate`; None for all that need only features and, if available, logits. Only scores with a
            worse direction are used.

    Raises:
        ValueError: for too few images, or metrics that need more than features and logits.
    """
    _check_images(images)
    half = len(images) // 2
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))[: 2 * half]
    images, labels = images[order], None if labels is None else labels[order]
    foreign = None if other is None else resized_like(other[:half], images)
    before = len(images) + (0 if foreign is None else len(foreign))
    extract = _RowExtractor(extractor, batch, before + (len(STRENGTHS) - 1) * len(IMAGE_DISTORTIONS) * half, progress)
    whole, corrupted, classes = extract(images), images[half:], None if labels is None else labels[half:]
    measures = _measures(metrics, has_logits=whole.shape[1] > extract.width)
    sets = _Sets(whole[:half], whole[half:], extract.width, measures)
    clean = _stage([sets.scores(sets.held_out)])  # once: the same sums need not round alike a second time
    stages: dict[str, list[_Stage]] = {}
    for name, distort in IMAGE_DISTORTIONS.items():
        rows = (extract(distort(corrupted, a, seed)) for a in STRENGTHS[1:])
        stages[name] = [clean, *(_stage([sets.scores(some)]) for some in rows)]
    for name, distort in set_distortions(whole[:half], classes, None if foreign is None else extract(foreign)).items():
        stages[name] = [clean, *(_stage(_drawn(sets, distort, a, seed)) for a in STRENGTHS[1:])]
    infos = {name: info for measure in measures for name, info in measure.gives.items() if info.worse}
    return Sanity(
        half,
        dict(extractor.facts),
        STRENGTHS,
        _spread(whole, sets, seed),
        {name: _curve([stage.mean for stage in found]) for name, found in stages.items()},
        {name: _curve([stage.error for stage in found]) for name, found in stages.items()},
        _examples(images, labels, foreign, seed),
        infos,
        () if classes is not None else ("dropped modes are left out: they need labels",),
    )


def _check_images(images: Tensor) -> None:
    if images.dtype != torch.uint8 or images.dim() != 4 or len(images) < MIN_IMAGES:
        raise ValueError(
            f"a distortion gallery needs at least {MIN_IMAGES} uint8 images (N, H, W, C); found "
            f"{str(images.dtype).removeprefix('torch.')} {tuple(images.shape)}"
        )


def _measures(metrics: Sequence[str | Measure | MetricFunction] | None, has_logits: bool) -> tuple[Measure, ...]:
    """Resolve metrics; raises `ValueError` for one that needs more than features and logits."""
    available = _ROWS if has_logits else _ROWS - {"logits"}
    found = chosen([kind() for kind in measure_kinds().values()] if metrics is None else metrics)
    usable = [one for one in found if one.needs.real | one.needs.fake | one.needs.held_out <= available]
    unusable = [] if metrics is None else [measure.name for measure in found if measure not in usable]
    if unusable:
        raise ValueError(
            f"corrupted images are scored by metrics of {', '.join(sorted(available))}; {unusable[0]} needs more"
        )
    return tuple(one for one in usable if any(info.worse for info in one.gives.values()))


class _RowExtractor:
    """Concatenates features and logits of an extractor, and counts the images for progress."""

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
    """The reference rows, of `width` features followed by logits, held-out rows, and the metrics."""

    real: Tensor
    held_out: Tensor
    width: int
    measures: Sequence[Measure]

    def scores(self, rows: Tensor) -> dict[str, float]:
        """All scores of the rows, as generated samples."""
        found: dict[str, float] = {}
        for measure in self.measures:
            scored, held_out = rows, None
            if measure.needs.held_out:
                scored, held_out = rows[: len(rows) // 2], self._gathered(self.held_out[len(self.held_out) // 2 :])
            by_moments = "moments" in measure.needs.real | measure.needs.fake
            real, fake = self._gathered(self.real, by_moments), self._gathered(scored, by_moments)
            given = measure(MeasureInput(real, fake, held_out, errors=False))
            found |= {name: score.value for name, score in given.items() if measure.gives[name].worse}
        return found

    def _gathered(self, rows: Tensor, by_moments: bool = False) -> Gathered:
        features, logits = rows[:, : self.width], rows[:, self.width :]
        moments = moments_of(features) if by_moments else None
        known = logits if logits.shape[1] else None
        return Gathered("images", len(rows), "", moments, features=features, logits=known)


class _Stage(NamedTuple):
    """The scores at one strength, by name: mean over draws and its standard error."""

    mean: dict[str, float]
    error: dict[str, float]


def _stage(draws: Sequence[Mapping[str, float]]) -> _Stage:
    found = _curve(draws)
    errors = {name: stdev(v) / math.sqrt(len(v)) if len(v) > 1 else 0.0 for name, v in found.items()}
    return _Stage({name: fmean(values) for name, values in found.items()}, errors)


def _drawn(sets: _Sets, distort: Distort, strength: float, seed: int) -> list[dict[str, float]]:
    """The scores of a corrupted set; of several draws for fewer samples."""
    draws = DRAWS if distort is few else 1
    return [sets.scores(distort(sets.held_out, strength, seed + k)) for k in range(draws)]


def _curve(scores: Sequence[Mapping[str, float]]) -> dict[str, tuple[float, ...]]:
    return {name: tuple(one[name] for one in scores) for name in scores[0]}


def _spread(whole: Tensor, sets: _Sets, seed: int) -> dict[str, float]:
    """Standard deviation of each score of one real half against the other, over random splits."""
    half, draw = len(whole) // 2, torch.Generator().manual_seed(seed + 1)
    found = []
    for _ in range(SPLITS):
        rows = whole[torch.randperm(len(whole), generator=draw)]
        found.append(_Sets(rows[:half], rows[half:], sets.width, sets.measures).scores(rows[half:]))
    return {name: stdev(values) for name, values in _curve(found).items()}


def _examples(images: Tensor, labels: Tensor | None, other: Tensor | None, seed: int) -> dict[str, tuple[Tensor, ...]]:
    """The first image, or sixteen that represent the set, at every strength of every distortion."""
    half = len(images) // 2
    some = slice(half, half + EXAMPLES)
    first = {
        name: tuple(distort(images[half : half + 1], a, seed) for a in STRENGTHS)
        for name, distort in IMAGE_DISTORTIONS.items()
    }
    sets = set_distortions(
        images[:EXAMPLES], None if labels is None else labels[some], None if other is None else other[:EXAMPLES]
    )
    return first | {name: tuple(distort(images[some], a, seed) for a in STRENGTHS) for name, distort in sets.items()}
