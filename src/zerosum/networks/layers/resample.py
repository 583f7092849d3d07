"""Halving and doubling of maps with a low-pass filter, for any height and width.

A side that halves exactly takes the filter [1, 3, 3, 1] and an odd one, which halves rounding up, [1, 2, 1]: either
way the samples of the small map lie evenly in the large one. Beyond the border is zero, as in StyleGAN2 and R3GAN.

A filter is applied as one small matrix for the rows and one for the columns. Matrix products are fast in every number
format and differentiable any number of times, where convolutions of single channels are slow on CPUs in bfloat16.
"""

__all__ = ["downsample", "upsample"]

import torch
from torch import Tensor, nn

from zerosum.networks.layers.pyramid import Sides

EVEN, ODD = (0.125, 0.375, 0.375, 0.125), (0.25, 0.5, 0.25)


def taps(side: int) -> tuple[float, ...]:
    """The low-pass filter of a side that is halved, of sum 1."""
    return ODD if side % 2 else EVEN


def filter_matrix(outputs: int, inputs: int, weights: tuple[float, ...], stride: int, pad: int) -> Tensor:
    """The matrix `(outputs, inputs)` of a filter with a stride over a line padded by `pad` zeros on the left."""
    place = torch.arange(inputs)[None, :] - stride * torch.arange(outputs)[:, None] + pad
    inside = (place >= 0) & (place < len(weights))
    filled = torch.tensor(weights)[place.clamp(0, len(weights) - 1).flatten()].view_as(place)
    return torch.where(inside, filled, 0.0)


class Resample(nn.Module):
    """Linear maps along the rows and the columns of `(B, C, H, W)`.

    Args:
        rows: matrix `(H', H)`.
        columns: matrix `(W', W)`.
    """

    def __init__(self, rows: Tensor, columns: Tensor) -> None:
        super().__init__()
        # They follow from the sides, so a checkpoint need not hold them.
        self.register_buffer("rows", rows, persistent=False)
        self.register_buffer("columns", columns, persistent=False)
        self.rows: Tensor
        self.columns: Tensor

    def forward(self, x: Tensor) -> Tensor:
        """`(B, C, H', W')`, in channels_last."""
        h = x.permute(0, 2, 3, 1)
        batch, height, width, channels = h.shape
        h = (self.rows.to(h.dtype) @ h.reshape(batch, height, width * channels)).reshape(-1, width, channels)
        h = self.columns.to(h.dtype) @ h
        return h.view(batch, -1, len(self.columns), channels).permute(0, 3, 1, 2)


def _halving(side: int) -> Tensor:
    return filter_matrix((side + 1) // 2, side, taps(side), stride=2, pad=1)


def downsample(large: Sides) -> Resample:
    """From maps of the sides `large` to half of them, rounding up."""
    return Resample(_halving(large[0]), _halving(large[1]))


def upsample(large: Sides) -> Resample:
    """From half of the sides `large`, rounded up, to `large`: bilinear, the transpose of `downsample`."""
    return Resample(2 * _halving(large[0]).T.contiguous(), 2 * _halving(large[1]).T.contiguous())
