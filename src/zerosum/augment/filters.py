"""Image-space filtering."""

from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum.augment._bands import BANDS, amplified
from zerosum.augment._checks import check_strength
from zerosum.augment._sampling import image_size
from zerosum.game.random import Draws

_POWER = (10 / 13, 1 / 13, 1 / 13, 1 / 13)  # of the bands of natural images, whose spectrum decreases as 1/f


@dataclass(frozen=True)
class Filter:
    """Amplify frequency bands: Karras et al. 2020 (arXiv 2006.06676), appendix B.

    A band is amplified by 2^(strength n), n standard normal, and all bands are then scaled so that the expected power
    of natural images is unchanged. Band 0 has the frequencies up to pi/8, and 1, 2 and 3 one octave each above.

    Args:
        bands: the bands to amplify, of 0, 1, 2 and 3.
        strength: standard deviation of the logarithm to base 2 of the amplification (>= 0).
    """

    bands: tuple[int, ...] = (0, 1, 2, 3)
    strength: float = 1.0

    def __post_init__(self) -> None:
        check_strength("strength", self.strength)
        if not set(self.bands) <= set(range(BANDS)):
            raise ValueError(f"bands are some of 0, 1, 2 and 3, from low to high frequencies; found {self.bands}")

    def gains(self, count: int, draws: Draws, purpose: str) -> Tensor:
        """The factors `(B, 4)` of the bands."""
        n = self.strength * draws.normal(purpose, (count, len(self.bands)))
        power = torch.tensor(_POWER).to(n.device, non_blocking=True)  # which waits for no device
        gains = torch.ones(count, BANDS, device=n.device)
        for i, band in enumerate(self.bands):
            raised = torch.where(torch.arange(BANDS, device=n.device) == band, n[:, i : i + 1].exp2(), 1.0)
            gains = gains * raised / (power * raised.square()).sum(1, keepdim=True).sqrt()
        return gains

    def __call__(self, x: Tensor, draws: Draws, purpose: str) -> Tensor:
        """The filtered images."""
        image_size(x.shape)
        return amplified(x, self.gains(len(x), draws, purpose))
