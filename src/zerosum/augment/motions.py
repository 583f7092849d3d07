"""Motions of the picture: flips, turns, shifts and changes of size. Beyond its edges the picture is mirrored.

Each has a `motion(shape, draws, purpose)`: for each sample the affine map `(B, 2, 3)` from a place in the result to
the place in the picture that it shows. So motions in a row make one map, and the picture is resampled once. The laws
are those of ADA: Karras et al. 2020 (arXiv 2006.06676), appendix B. The resampling is not: where the paper goes up and
down by a pair of SYM6 wavelets, which displaces what is flipped by a part of a pixel, this one interpolates, and leaves
alone what a motion leaves alone. A picture that shrinks is not smoothed first.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from zerosum.augment._checks import check_probability, check_strength
from zerosum.augment._sampling import moved, sides
from zerosum.game.random import Draws


def _motion(matrix: tuple[Tensor, Tensor, Tensor, Tensor], offset: tuple[Tensor, Tensor] | None = None) -> Tensor:
    """The map (column, row) -> (a column + b row, c column + d row) + offset, from numbers `(B,)` to `(B, 2, 3)`."""
    a, b, c, d = matrix
    across, down = offset or (torch.zeros_like(a), torch.zeros_like(a))
    return torch.stack((a, b, across, c, d, down), 1).view(-1, 2, 3)


def _shift(across: Tensor, down: Tensor) -> Tensor:
    one, zero = torch.ones_like(across), torch.zeros_like(across)
    return _motion((one, zero, zero, one), (-across, -down))


def _stretch(across: Tensor, down: Tensor) -> Tensor:
    zero = torch.zeros_like(across)
    return _motion((1 / across, zero, zero, 1 / down))


@dataclass(frozen=True)
class Flip:
    """Left and right change places in every other sample.

    Args:
        probability: share of the samples that are flipped, in [0, 1].
    """

    probability: float = 0.5
    whole: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_probability("probability", self.probability)

    def motion(self, shape: torch.Size, draws: Draws, purpose: str) -> Tensor:
        """The maps of a batch `(B, C, H, W)`."""
        side = 1 - 2 * (draws.uniform(purpose, (shape[0],)) < self.probability).float()
        return _motion((side, torch.zeros_like(side), torch.zeros_like(side), torch.ones_like(side)))

    def __call__(self, x: Tensor, draws: Draws, purpose: str) -> Tensor:
        """The pictures, some of them flipped."""
        return moved(x, self.motion(x.shape, draws, purpose), self.whole)


@dataclass(frozen=True)
class Rotate90:
    """A turn counterclockwise by 0, 1, 2 or 3 quarters of a circle, each as likely.

    Of a picture that is not square, what falls beyond the frame is cut and what is missing is mirrored.
    """

    whole: ClassVar[bool] = True

    def motion(self, shape: torch.Size, draws: Draws, purpose: str) -> Tensor:
        """The maps of a batch `(B, C, H, W)`."""
        quarters = (draws.uniform(purpose, (shape[0],)) * 4).floor()
        cos, sin = (quarters - 2).abs() - 1, 1 - (quarters - 1).abs()
        return _motion((cos, -sin, sin, cos))

    def __call__(self, x: Tensor, draws: Draws, purpose: str) -> Tensor:
        """The pictures, turned."""
        return moved(x, self.motion(x.shape, draws, purpose), self.whole)


@dataclass(frozen=True)
class IntegerTranslate:
    """A shift by whole pixels, uniform in [-ratio, ratio] of the width and of the height, rounded.

    Args:
        ratio: largest shift as a share of the side (>= 0).
    """

    ratio: float = 0.125
    whole: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_strength("ratio", self.ratio)

    def motion(self, shape: torch.Size, draws: Draws, purpose: str) -> Tensor:
        """The maps of a batch `(B, C, H, W)`."""
        height, width = sides(shape)
        share = (draws.uniform(purpose, (shape[0], 2)) * 2 - 1) * self.ratio
        return _shift((share[:, 0] * width).round(), (share[:, 1] * height).round())

    def __call__(self, x: Tensor, draws: Draws, purpose: str) -> Tensor:
        """The pictures, shifted."""
        return moved(x, self.motion(x.shape, draws, purpose), self.whole)


@dataclass(frozen=True)
class FractionalTranslate:
    """A shift by parts of pixels too, normal with a spread of `ratio` of the width and of the height.

    Args:
        ratio: standard deviation as a share of the side (>= 0).
    """

    ratio: float = 0.125
    whole: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_strength("ratio", self.ratio)

    def motion(self, shape: torch.Size, draws: Draws, purpose: str) -> Tensor:
        """The maps of a batch `(B, C, H, W)`."""
        height, width = sides(shape)
        share = draws.normal(purpose, (shape[0], 2)) * self.ratio
        return _shift(share[:, 0] * width, share[:, 1] * height)

    def __call__(self, x: Tensor, draws: Draws, purpose: str) -> Tensor:
        """The pictures, shifted."""
        return moved(x, self.motion(x.shape, draws, purpose), self.whole)


@dataclass(frozen=True)
class Scale:
    """A change of size by 2^(strength n), n standard normal.

    Args:
        strength: standard deviation of the logarithm to base 2 (>= 0).
    """

    strength: float = 0.2
    whole: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_strength("strength", self.strength)

    def motion(self, shape: torch.Size, draws: Draws, purpose: str) -> Tensor:
        """The maps of a batch `(B, C, H, W)`."""
        size = (draws.normal(purpose, (shape[0],)) * self.strength).exp2()
        return _stretch(size, size)

    def __call__(self, x: Tensor, draws: Draws, purpose: str) -> Tensor:
        """The pictures, larger or smaller."""
        return moved(x, self.motion(x.shape, draws, purpose), self.whole)


@dataclass(frozen=True)
class Anisotropy:
    """A stretch of the width by 2^(strength n), n standard normal, and of the height by the inverse.

    Args:
        strength: standard deviation of the logarithm to base 2 (>= 0).
    """

    strength: float = 0.2
    whole: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_strength("strength", self.strength)

    def motion(self, shape: torch.Size, draws: Draws, purpose: str) -> Tensor:
        """The maps of a batch `(B, C, H, W)`."""
        wider = (draws.normal(purpose, (shape[0],)) * self.strength).exp2()
        return _stretch(wider, 1 / wider)

    def __call__(self, x: Tensor, draws: Draws, purpose: str) -> Tensor:
        """The pictures, stretched."""
        return moved(x, self.motion(x.shape, draws, purpose), self.whole)


@dataclass(frozen=True)
class Rotate:
    """A turn counterclockwise by an angle uniform in strength times [-pi, pi].

    Args:
        strength: largest angle as a share of half a circle, in [0, 1].
    """

    strength: float = 1.0
    whole: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_probability("strength", self.strength)

    def motion(self, shape: torch.Size, draws: Draws, purpose: str) -> Tensor:
        """The maps of a batch `(B, C, H, W)`."""
        angle = (draws.uniform(purpose, (shape[0],)) * 2 - 1) * (self.strength * math.pi)
        cos, sin = angle.cos(), angle.sin()
        return _motion((cos, -sin, sin, cos))

    def __call__(self, x: Tensor, draws: Draws, purpose: str) -> Tensor:
        """The pictures, turned."""
        return moved(x, self.motion(x.shape, draws, purpose), self.whole)
