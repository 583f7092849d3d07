"""Corruptions of images and of sets, by name."""

__all__ = ()

import math
from collections.abc import Callable, Mapping
from functools import partial

from torch import Tensor
from torch.nn.functional import interpolate

from zerosum.evaluation.sanity.distortions import (
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

Distort = Callable[[Tensor, float, int], Tensor]
IMAGE_DISTORTIONS: Mapping[str, Distort] = {
    "Gaussian noise": gaussian_noise,
    "Gaussian blur": gaussian_blur,
    "black rectangles": black_rectangles,
    "swirl": swirl,
    "salt and pepper": salt_and_pepper,
}
"""Corruptions of single images; the others are corruptions of the whole set."""


def resized_like(other: Tensor, images: Tensor) -> Tensor:
    """Resize `(M, H', W', C')` to the size and channels of `images`: antialiased, grey is the mean of the colours."""
    height, width, channels = images.shape[1:]
    x = other.permute(0, 3, 1, 2).float()
    x = x.mean(1, keepdim=True) if channels == 1 else x.expand(-1, channels, -1, -1)
    x = interpolate(x, (height, width), mode="bilinear", antialias=True)
    return x.round().clamp(0, 255).byte().permute(0, 2, 3, 1).contiguous()


def set_distortions(train: Tensor, labels: Tensor | None, other: Tensor | None) -> dict[str, Distort]:
    """Corruptions of a set, by name; they apply to images and to features alike.

    Args:
        train: rows of the training set, for memorisation.
        labels: class labels of the set; None omits dropped modes.
        other: rows of another set; None omits contamination.
    """
    found: dict[str, Distort] = {}
    if other is not None:
        found["another set's images"] = partial(contaminated, other=other)
    if labels is not None:
        found["dropped modes"] = partial(modes_dropped, labels=labels)
    return found | {
        "repeated samples": repeated,
        "memorised training": partial(memorised, train=train),
        "fewer samples": few,
    }


def few(rows: Tensor, strength: float, seed: int) -> Tensor:
    """Fewer rows, but at least 8, as metrics of nearest neighbours need."""
    most = math.log(max(len(rows) / 8, 1)) / math.log(1 / FEWEST)
    return fewer(rows, strength * min(most, 1.0), seed)
