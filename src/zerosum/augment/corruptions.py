"""Transformations that remove part of a sample: translation, cutout, noise."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from zerosum.augment._checks import check_probability, check_strength
from zerosum.augment._sampling import gathered, image_size
from zerosum.game.random import Draws


def _whole(share: Tensor, least: int, most: int) -> Tensor:
    """Uniform integers least .. most, from uniform numbers in [0, 1)."""
    return (share * (most - least + 1)).floor().long() + least


@dataclass(frozen=True)
class Translate:
    """Translation by integer pixels, as in DiffAugment: Zhao et al. 2020 (arXiv 2006.10738).

    Shifts are uniform up to `ratio` of the height and of the width, rounded down.

    Args:
        ratio: largest shift as a fraction of height and width, in [0, 1].
        fill: padding: `zeros`, or `mirror` for reflection.
    """

    ratio: float = 0.125
    fill: Literal["zeros", "mirror"] = "zeros"

    def __post_init__(self) -> None:
        check_probability("ratio", self.ratio)
        if self.fill not in ("zeros", "mirror"):
            raise ValueError(f"fill is zeros or mirror; found {self.fill!r}")

    def __call__(self, x: Tensor, draws: Draws, purpose: str) -> Tensor:
        """The translated images."""
        places = []
        inside = torch.ones((), dtype=torch.bool, device=x.device)
        share = draws.uniform(purpose, (len(x), 2, 1, 1))
        for axis, side in enumerate(image_size(x.shape)):
            most = int(side * self.ratio)
            line = torch.arange(side, device=x.device).view((-1, 1) if axis == 0 else (1, -1))
            place = line - _whole(share[:, axis], -most, most)
            inside = inside & (place >= 0) & (place < side)
            places.append(place)
        row, column = (place.expand_as(inside) for place in places)
        found = gathered(x, row, column)
        return found if self.fill == "mirror" else torch.where(inside[:, None], found, 0.0)


@dataclass(frozen=True)
class Cutout:
    """Set a random rectangle to 0, as in DiffAugment: Zhao et al. 2020 (arXiv 2006.10738).

    Its height and width are `ratio` of the image's, rounded down, and its centre is anywhere in the image, so that part
    of it can be outside. ADA's cutout is the same, up to fractions of pixels.

    Args:
        ratio: height and width of the rectangle as a fraction of the image's, in [0, 1].
    """

    ratio: float = 0.5

    def __post_init__(self) -> None:
        check_probability("ratio", self.ratio)

    def __call__(self, x: Tensor, draws: Draws, purpose: str) -> Tensor:
        """The images, each with a rectangle of zeros."""
        hole = torch.ones((), dtype=torch.bool, device=x.device)
        share = draws.uniform(purpose, (len(x), 2, 1, 1))
        for axis, side in enumerate(image_size(x.shape)):
            size = int(side * self.ratio)
            line = torch.arange(side, device=x.device).view((-1, 1) if axis == 0 else (1, -1))
            start = _whole(share[:, axis], 0, side - size % 2) - size // 2
            hole = hole & (line >= start) & (line < start + size)
        return torch.where(hole[:, None], 0.0, x)


@dataclass(frozen=True)
class Noise:
    """Gaussian noise with a random standard deviation for each sample: |n| strength, n standard normal.

    It applies to samples of any shape. Karras et al. 2020 (arXiv 2006.06676), appendix B.

    Args:
        strength: scale of the standard deviation (>= 0), in units of the samples.
    """

    strength: float = 0.1

    def __post_init__(self) -> None:
        check_strength("strength", self.strength)

    def __call__(self, x: Tensor, draws: Draws, purpose: str) -> Tensor:
        """The samples with noise."""
        std = draws.normal(f"{purpose} spread", (len(x),) + (1,) * (x.dim() - 1)).abs() * self.strength
        return x + std * draws.normal(purpose, tuple(x.shape))
