"""How pictures and sets of them are spoilt, by name."""

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
OF_PICTURES: Mapping[str, Distort] = {
    "Gaussian noise": gaussian_noise,
    "Gaussian blur": gaussian_blur,
    "black rectangles": black_rectangles,
    "swirl": swirl,
    "salt and pepper": salt_and_pepper,
}
"""What is done to each picture; what else is done to the whole set."""


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
    return found | {
        "repeated samples": repeated,
        "memorised training": partial(memorised, train=train),
        "fewer samples": few,
    }


def few(rows: Tensor, strength: float, seed: int) -> Tensor:
    """Fewer of the rows, but at least 8, below which neighbours cannot be asked."""
    most = math.log(max(len(rows) / 8, 1)) / math.log(1 / FEWEST)
    return fewer(rows, strength * min(most, 1.0), seed)
