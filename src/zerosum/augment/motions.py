"""Geometric transformations: flips, rotations, translations and scaling, with reflection padding.

Each has a `motion(shape, draws, purpose)`: for each sample the affine map `(B, 2, 3)` from coordinates in the result to
coordinates in the image. So consecutive ones are merged, and the image is resampled once. The distributions are those
of ADA: Karras et al. 2020 (arXiv 2006.06676), appendix B. The resampling is not quite: the paper up- and downsamples
with SYM6 wavelets, which shifts flipped images by a fraction of a pixel; here images are interpolated, shrunk ones
after a low-pass filter, and the identity changes nothing.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from zerosum.augment._checks import check_probability, check_strength
from zerosum.augment._sampling import image_size, resampled
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
    """Horizontal flip with a given probability.

    Args:
        probability: probability of a flip, in [0, 1].
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
        """The images, some flipped."""
        return resampled(x, self.motion(x.shape, draws, purpose), self.whole)


@dataclass(frozen=True)
class Rotate90:
    """Rotation counterclockwise by 0, 90, 180 or 270 degrees, with equal probability.

    Images that are not square are cropped and padded by reflection.
    """

    whole: ClassVar[bool] = True

    def motion(self, shape: torch.Size, draws: Draws, purpose: str) -> Tensor:
        """The maps of a batch `(B, C, H, W)`."""
        quarters = (draws.uniform(purpose, (shape[0],)) * 4).floor()
        cos, sin = (quarters - 2).abs() - 1, 1 - (quarters - 1).abs()
        return _motion((cos, -sin, sin, cos))

    def __call__(self, x: Tensor, draws: Draws, purpose: str) -> Tensor:
        """The rotated images."""
        return resampled(x, self.motion(x.shape, draws, purpose), self.whole)


@dataclass(frozen=True)
class IntegerTranslate:
    """Translation by integer pixels, uniform in [-ratio, ratio] of the width and of the height, rounded.

    Args:
        ratio: largest shift as a fraction of width and height (>= 0).
    """

    ratio: float = 0.125
    whole: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_strength("ratio", self.ratio)

    def motion(self, shape: torch.Size, draws: Draws, purpose: str) -> Tensor:
        """The maps of a batch `(B, C, H, W)`."""
        height, width = image_size(shape)
        share = (draws.uniform(purpose, (shape[0], 2)) * 2 - 1) * self.ratio
        return _shift((share[:, 0] * width).round(), (share[:, 1] * height).round())

    def __call__(self, x: Tensor, draws: Draws, purpose: str) -> Tensor:
        """The translated images."""
        return resampled(x, self.motion(x.shape, draws, purpose), self.whole)


@dataclass(frozen=True)
class FractionalTranslate:
    """Translation by fractions of pixels, normal with standard deviation `ratio` of the width and of the height.

    Args:
        ratio: standard deviation as a fraction of width and height (>= 0).
    """

    ratio: float = 0.125
    whole: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_strength("ratio", self.ratio)

    def motion(self, shape: torch.Size, draws: Draws, purpose: str) -> Tensor:
        """The maps of a batch `(B, C, H, W)`."""
        height, width = image_size(shape)
        share = draws.normal(purpose, (shape[0], 2)) * self.ratio
        return _shift(share[:, 0] * width, share[:, 1] * height)

    def __call__(self, x: Tensor, draws: Draws, purpose: str) -> Tensor:
        """The translated images."""
        return resampled(x, self.motion(x.shape, draws, purpose), self.whole)


@dataclass(frozen=True)
class Scale:
    """Isotropic scaling by 2^(strength n), n standard normal.

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
        """The scaled images."""
        return resampled(x, self.motion(x.shape, draws, purpose), self.whole)


@dataclass(frozen=True)
class Anisotropy:
    """Anisotropic scaling of the width by 2^(strength n), n standard normal, and of the height by the inverse.

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
        """The scaled images."""
        return resampled(x, self.motion(x.shape, draws, purpose), self.whole)


@dataclass(frozen=True)
class Rotate:
    """Rotation counterclockwise by an angle uniform in strength times [-pi, pi].

    Args:
        strength: largest angle as a fraction of pi, in [0, 1].
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
        """The rotated images."""
        return resampled(x, self.motion(x.shape, draws, purpose), self.whole)
