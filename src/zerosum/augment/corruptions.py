"""What takes something of a sample away or covers it: shifts out of the frame, holes, noise."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from zerosum.augment._checks import check_probability, check_strength
from zerosum.augment._sampling import picked, sides
from zerosum.game.random import Draws


def _whole(share: Tensor, least: int, most: int) -> Tensor:
    """Whole numbers least .. most, all as likely, from uniform numbers in [0, 1)."""
    return (share * (most - least + 1)).floor().long() + least


@dataclass(frozen=True)
class Translate:
    """A shift by whole pixels, as in DiffAugment: Zhao et al. 2020 (arXiv 2006.10738).

    All shifts of at most `ratio` of the height and of the width, rounded down, are as likely.

    Args:
        ratio: largest shift as a share of the side, in [0, 1].
        fill: what is seen beyond the edges: `zeros`, or the picture in a `mirror`.
    """

    ratio: float = 0.125
    fill: Literal["zeros", "mirror"] = "zeros"

    def __post_init__(self) -> None:
        check_probability("ratio", self.ratio)
        if self.fill not in ("zeros", "mirror"):
            raise ValueError(f"fill is zeros or mirror; found {self.fill!r}")

    def __call__(self, x: Tensor, draws: Draws, purpose: str) -> Tensor:
        """The pictures, shifted."""
        places = []
        inside = torch.ones((), dtype=torch.bool, device=x.device)
        share = draws.uniform(purpose, (len(x), 2, 1, 1))
        for axis, side in enumerate(sides(x.shape)):
            most = int(side * self.ratio)
            line = torch.arange(side, device=x.device).view((-1, 1) if axis == 0 else (1, -1))
            place = line - _whole(share[:, axis], -most, most)
            inside = inside & (place >= 0) & (place < side)
            places.append(place)
        row, column = (place.expand_as(inside) for place in places)
        found = picked(x, row, column)
        return found if self.fill == "mirror" else torch.where(inside[:, None], found, 0.0)


@dataclass(frozen=True)
class Cutout:
    """A rectangle of zeros, as in DiffAugment: Zhao et al. 2020 (arXiv 2006.10738).

    Its sides are `ratio` of the picture's, rounded down, and its middle lies anywhere in the picture, so that part of
    it can fall outside. ADA's cutout is the same but for parts of pixels.

    Args:
        ratio: sides of the rectangle as a share of the picture's, in [0, 1].
    """

    ratio: float = 0.5

    def __post_init__(self) -> None:
        check_probability("ratio", self.ratio)

    def __call__(self, x: Tensor, draws: Draws, purpose: str) -> Tensor:
        """The pictures with a hole in each."""
        hole = torch.ones((), dtype=torch.bool, device=x.device)
        share = draws.uniform(purpose, (len(x), 2, 1, 1))
        for axis, side in enumerate(sides(x.shape)):
            size = int(side * self.ratio)
            line = torch.arange(side, device=x.device).view((-1, 1) if axis == 0 else (1, -1))
            start = _whole(share[:, axis], 0, side - size % 2) - size // 2
            hole = hole & (line >= start) & (line < start + size)
        return torch.where(hole[:, None], 0.0, x)


@dataclass(frozen=True)
class Noise:
    """Noise on every number of a sample, its spread drawn for each sample: |n| strength, n standard normal.

    It goes with samples of any shape. Karras et al. 2020 (arXiv 2006.06676), appendix B.

    Args:
        strength: standard deviation of the spread (>= 0), in the unit of the samples.
    """

    strength: float = 0.1

    def __post_init__(self) -> None:
        check_strength("strength", self.strength)

    def __call__(self, x: Tensor, draws: Draws, purpose: str) -> Tensor:
        """The samples with noise on them."""
        spread = draws.normal(f"{purpose} spread", (len(x),) + (1,) * (x.dim() - 1)).abs() * self.strength
        return x + spread * draws.normal(purpose, tuple(x.shape))
