"""Filters of four frequency bands, an octave each: Karras et al. 2020 (arXiv 2006.06676), appendix B."""

from functools import lru_cache

import torch
from torch import Tensor

from zerosum.augment._sampling import mirrored

BANDS = 4
# The wavelet sym2 (Daubechies' D4): h_n = (1 + s, 3 + s, 3 - s, 1 - s) / (4 sqrt 2), with s = sqrt 3.
_SYM2 = tuple((a + b * 3**0.5) / (4 * 2**0.5) for a, b in ((1, 1), (3, 1), (3, -1), (1, -1)))


def _convolved(a: Tensor, b: Tensor) -> Tensor:
    return torch.nn.functional.conv1d(a[:, None], b.flip(0)[None, None], padding=len(b) - 1)[:, 0]


def taps() -> Tensor:
    """The filters `(4, 43)` of the bands, from [0, pi/8] to [pi/2, pi], in float64; they add up to the identity."""
    low = torch.tensor(_SYM2, dtype=torch.float64)
    high = low * torch.tensor((1, -1, 1, -1))
    pass_low, pass_high = (_convolved(h[None], h.flip(0))[0] / 2 for h in (low, high))
    found = torch.eye(BANDS, 1, dtype=torch.float64)
    for band in range(1, BANDS):
        spread = torch.stack((found, torch.zeros_like(found)), 2).flatten(1)[:, :-1]
        found = _convolved(spread, pass_low)
        edge = (found.shape[1] - len(pass_high)) // 2
        found[band, edge : edge + len(pass_high)] += pass_high
    return found


@lru_cache(maxsize=4)
def bands(side: int) -> Tensor:
    """The filters of the bands as matrices `(4, side, side)` on mirrored rows of pixels, in float32."""
    filters = taps()
    radius = filters.shape[1] // 2
    index = mirrored(torch.arange(side)[:, None] + torch.arange(-radius, radius + 1), side)
    matrices = torch.zeros(BANDS, side, side, dtype=torch.float64)
    source = filters[:, None].expand(-1, side, -1)
    return matrices.scatter_add(2, index.expand(BANDS, -1, -1), source).float()


def amplified(x: Tensor, gains: Tensor) -> Tensor:
    """Images `(B, C, H, W)` with each band times its gain `(B, 4)`, along columns and along rows."""
    with torch.autocast(x.device.type, enabled=False):
        dtype = torch.promote_types(x.dtype, gains.dtype)
        there = (bands(side).to(gains.device, non_blocking=True) for side in x.shape[2:])
        down, across = (torch.einsum("bk,kij->bij", gains, matrices) for matrices in there)
        return down[:, None].to(dtype) @ x.to(dtype) @ across[:, None].mT.to(dtype)
