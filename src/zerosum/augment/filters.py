"""Changes of a picture's frequencies."""

from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum.augment._bands import BANDS, amplified
from zerosum.augment._checks import check_strength
from zerosum.augment._sampling import sides
from zerosum.game.random import Draws

_POWER = (10 / 13, 1 / 13, 1 / 13, 1 / 13)  # of the bands of natural pictures, whose spectrum falls as 1/f


@dataclass(frozen=True)
class Filter:
    """Amplify frequency bands: Karras et al. 2020 (arXiv 2006.06676), appendix B.

    A band is amplified by 2^(strength n), n standard normal, and all bands are then scaled so that a picture of the
    usual spectrum keeps its power. Band 0 holds the frequencies up to pi/8, and 1, 2 and 3 an octave each from there.

    Args:
        bands: those to amplify, of 0, 1, 2 and 3.
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
        power = torch.tensor(_POWER, device=n.device)
        gains = torch.ones(count, BANDS, device=n.device)
        for i, band in enumerate(self.bands):
            raised = torch.where(torch.arange(BANDS, device=n.device) == band, n[:, i : i + 1].exp2(), 1.0)
            gains = gains * raised / (power * raised.square()).sum(1, keepdim=True).sqrt()
        return gains

    def __call__(self, x: Tensor, draws: Draws, purpose: str) -> Tensor:
        """The pictures with some bands stronger or weaker."""
        sides(x.shape)
        return amplified(x, self.gains(len(x), draws, purpose))
