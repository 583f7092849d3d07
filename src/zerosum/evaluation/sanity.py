"""What scores notice and what they miss, seen on the user's own pictures: the distortion gallery."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from statistics import fmean, stdev
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from zerosum.evaluation.gathering import Progress
from zerosum.evaluation.measures import BALLS, HIGHER, LOWER, NEIGHBOUR
from zerosum.metrics.distortions import (
    FEWEST,
    black_rectangles,
    contaminated,
    fewer,
    gaussian_blur,
    gaussian_noise,
    memorised,
    modes_dropped,
    repeated,
    salt_and_pepper,
    swirl,
)
from zerosum.metrics.features.extractor import Extractor
from zerosum.metrics.frechet import frechet_distance
from zerosum.metrics.kernel import kernel_distance
from zerosum.metrics.logits import inception_score
from zerosum.metrics.neighbours import density_coverage, nearest_neighbours, precision_recall

STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
SPLITS = 10  # divisions of the real pictures into halves, for the spread of each score
BEYOND = 3.0  # deviations from what real halves give, from which a score has noticed something
LEAST = 64  # pictures: a quarter is sampled and a quarter held out
SHOWN = 16  # pictures that stand for a set
_UPWARDS = ("IS", "precision", "recall", "density", "coverage", "copies")
BETTER = {"FID": LOWER, "KID": LOWER, **dict.fromkeys(_UPWARDS, HIGHER)}
"""The scores, and which way each is better. `copies` is C_T of `nearest_neighbours`, far below 0 for copies."""
FLATTERED = tuple(score for score in BETTER if score != "copies")
"""Those that can praise: far above 0, C_T says that samples are unlike training pictures, not that they are good."""

Distort = Callable[[Tensor, float, int], Tensor]
OF_PICTURES: Mapping[str, Distort] = {
    "Gaussian noise": gaussian_noise,
    "Gaussian blur": gaussian_blur,
    "black rectangles": black_rectangles,
    "swirl": swirl,
    "salt and pepper": salt_and_pepper,
}
"""What is done to each picture; what else is done to the whole set."""
FEW, DRAWS = "fewer samples", 10  # few samples scatter, so that the mean of so many draws is what tells a bias


@dataclass(frozen=True)
class Notice:
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
        spread: mean and deviation of each score over halves of the real pictures, by score.
        curves: each score at each strength, by distortion and score.
        pictures: what each distortion does, by its name: for each strength some pictures, uint8 `(n, H, W, C)`.
        notes: sentences that the user should read.
    """

    count: int
    features: Mapping[str, str]
    strengths: tuple[float, ...]
    spread: Mapping[str, tuple[float, float]]
    curves: Mapping[str, Mapping[str, tuple[float, ...]]]
    pictures: Mapping[str, tuple[Tensor, ...]]
    notes: tuple[str, ...] = ()

    def notice(self, distortion: str, score: str) -> Notice:
        """What a score makes of a distortion: it notices it where it moves beyond 3 deviations of real halves."""
        mean, deviation = self.spread[score]
        sign = 1 if BETTER[score] == LOWER else -1
        moved = [sign * (value - mean) for value in self.curves[distortion][score]]
        worse = [move > BEYOND * deviation for move in moved]
        first = next((k for k in range(len(worse)) if all(worse[k:])), None)
        praised = score in FLATTERED and any(move < -BEYOND * deviation for move in moved[1:])
        return Notice(None if first is None else self.strengths[first], praised)

    def as_dict(self) -> dict[str, Any]:
        """All but the pictures, as plain values."""
        return {
            "n": self.count,
            "features": dict(self.features),
            "strengths": list(self.strengths),
            "spread": {score: {"mean": mean, "std": std} for score, (mean, std) in self.spread.items()},
            "curves": {name: {score: list(c) for score, c in curves.items()} for name, curves in self.curves.items()},
            "notices": {
                name: {score: vars(self.notice(name, score)) for score in curves}
                for name, curves in self.curves.items()
            },
            "notes": list(self.notes),
        }


def sanity(
    images: Tensor,
    extractor: Extractor,
    labels: Tensor | None = None,
    other: Tensor | None = None,
    seed: int = 0,
    batch: int = 64,
    progress: Progress | None = None,
) -> Sanity:
    """Spoil one half of real pictures in growing strength, and score it against the other half.

    The halves are by chance. Where a score lies between them is known from ten such divisions; it notices a distortion
    where it moves beyond 3 deviations of that. The half that is scored against stands for the training set too, of
    which samples are known by heart; to look for copies, the first half of the spoilt ones is asked, beside the second
    half as it was before.

    Args:
        images: uint8 `(N, H, W, C)`, C 1 or 3, at least 40.
        extractor: what looks at them.
        labels: their classes, int64 `(N,)`, which dropped modes go by; None where there are none.
        other: pictures of another set, `(M, H', W', C')`, brought to the same shape; None leaves contamination out.
        seed: of the halves and the distortions.
        batch: pictures seen together.
        progress: is told the pictures seen and those to be seen.

    Raises:
        ValueError: for too few pictures, or what does not fit.
    """
    if images.dtype != torch.uint8 or images.dim() != 4 or len(images) < LEAST:
        raise ValueError(
            f"a gallery of distortions takes {LEAST} or more uint8 pictures (N, H, W, C); found "
            f"{str(images.dtype).removeprefix('torch.')} {tuple(images.shape)}"
        )
    half = len(images) // 2
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))[: 2 * half]
    images, labels = images[order], None if labels is None else labels[order]
    foreign = None if other is None else like(other[:half], images)
    of_real, of_other = len(images), 0 if foreign is None else len(foreign)
    look = _Look(extractor, batch, of_real + of_other + (len(STRENGTHS) - 1) * len(OF_PICTURES) * half)
    look.progress = progress
    whole, spoilt = look(images), images[half:]
    classes = None if labels is None else labels[half:]
    sides = _Sides(whole[:half], whole[half:], look.width)
    curves = {}
    for name, distort in OF_PICTURES.items():
        stages = (look(distort(spoilt, a, seed)) if a else sides.held_out for a in STRENGTHS)
        curves[name] = _curve([sides.scores(rows) for rows in stages])
    for name, distort in of_sets(whole[:half], classes, None if foreign is None else look(foreign)).items():
        curves[name] = _curve([_mean_scores(sides, distort, a, seed) for a in STRENGTHS])
    return Sanity(
        half,
        dict(extractor.facts),
        STRENGTHS,
        _spread(whole, look.width, seed),
        curves,
        _shown(images, labels, foreign, seed),
        () if classes is not None else ("without labels there are no modes to drop",),
    )


def like(other: Tensor, images: Tensor) -> Tensor:
    """Pictures `(M, H', W', C')` in the sides and channels of others: antialiased, grey the mean of colours."""
    height, width, channels = images.shape[1:]
    x = other.permute(0, 3, 1, 2).float()
    x = x.mean(1, keepdim=True) if channels == 1 else x.expand(-1, channels, -1, -1)
    x = interpolate(x, (height, width), mode="bilinear", antialias=True)
    return x.round().clamp(0, 255).byte().permute(0, 2, 3, 1).contiguous()


def of_sets(train: Tensor, labels: Tensor | None, other: Tensor | None) -> dict[str, Distort]:
    """What is done to a set, in pictures or in their features, by name.

    Args:
        train: rows that are known by heart.
        labels: the classes of the set's own rows; None leaves dropped modes out.
        other: rows of another set; None leaves contamination out.
    """
    found: dict[str, Distort] = {}
    if other is not None:
        found["another set's pictures"] = partial(contaminated, other=other)
    if labels is not None:
        found["dropped modes"] = partial(modes_dropped, labels=labels)
    return found | {"repeated samples": repeated, "memorised training": partial(memorised, train=train), FEW: _few}


def _few(rows: Tensor, strength: float, seed: int) -> Tensor:
    """Fewer of the rows, but at least 8, below which neighbours cannot be asked."""
    most = math.log(max(len(rows) / 8, 1)) / math.log(1 / FEWEST)
    return fewer(rows, strength * min(most, 1.0), seed)


class _Look:
    """An extractor whose features and logits stand in one row, which counts the pictures that it has seen."""

    def __init__(self, extractor: Extractor, batch: int, total: int) -> None:
        self.extractor, self.batch, self.total, self.done = extractor, batch, total, 0
        self.width = 0
        self.progress: Progress | None = None

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
class _Sides:
    """What is scored against: rows of features, `width` of them, and logits."""

    real: Tensor
    held_out: Tensor
    width: int

    def scores(self, rows: Tensor) -> dict[str, float]:
        """Every score of rows that stand for generated ones."""
        real, fake = self.real[:, : self.width], rows[:, : self.width]
        sampled, held_out = fake[: len(fake) // 2], self.held_out[len(self.held_out) // 2 :, : self.width]
        first, second = precision_recall(real, fake, NEIGHBOUR), density_coverage(real, fake, BALLS)
        found = {"FID": frechet_distance(real, fake), "KID": kernel_distance(real, fake).value}
        if rows.shape[1] > self.width:
            found["IS"] = inception_score(rows[:, self.width :]).value
        copies = nearest_neighbours(sampled, real, held_out).statistic
        return {**found, **asdict(first), **asdict(second), "copies": copies}


def _mean_scores(sides: _Sides, distort: Distort, strength: float, seed: int) -> dict[str, float]:
    """Every score of a set that is spoilt, which for fewer samples is that of many draws."""
    draws = DRAWS if distort is _few and strength else 1
    found = _curve([sides.scores(distort(sides.held_out, strength, seed + k)) for k in range(draws)])
    return {name: fmean(values) for name, values in found.items()}


def _curve(scores: Sequence[Mapping[str, float]]) -> dict[str, tuple[float, ...]]:
    return {name: tuple(one[name] for one in scores) for name in scores[0]}


def _spread(whole: Tensor, width: int, seed: int) -> dict[str, tuple[float, float]]:
    """Mean and deviation of each score of one half of the real rows against the other, over chance divisions."""
    half, draw = len(whole) // 2, torch.Generator().manual_seed(seed + 1)
    found = []
    for _ in range(SPLITS):
        rows = whole[torch.randperm(len(whole), generator=draw)]
        found.append(_Sides(rows[:half], rows[half:], width).scores(rows[half:]))
    return {name: (fmean(values), stdev(values)) for name, values in _curve(found).items()}


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
