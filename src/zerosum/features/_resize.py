"""How images come to the side that a network reads: a part of every score's name."""

import torch
from torch import Tensor
from torch.nn.functional import interpolate

TENSORFLOW_1 = "bilinear of TensorFlow 1"  # corners not aligned, no half-pixel centres, no antialiasing
BICUBIC = "antialiased bicubic"


def bicubic(x: Tensor, side: int) -> Tensor:
    """Resize `(B, C, H, W)` of 0..255 to `(B, C, side, side)` with antialiasing, clamped to 0..255; or let it be."""
    if x.shape[2:] == (side, side):
        return x
    return interpolate(x, (side, side), mode="bicubic", antialias=True).clamp_(0, 255)


def tensorflow_bilinear(x: Tensor, side: int) -> Tensor:
    """Resize `(B, C, H, W)` to `(B, C, side, side)` as `tf.image.resize_bilinear` of TensorFlow 1 does by default.

    Output pixel i reads at i * H / side, between the pixel there and the next, of which the last is its own next: not
    centred, and without antialiasing where it shrinks. It is linear, so a matrix for each axis does it.
    """
    rows, columns = (_matrix(length, side, x) for length in x.shape[2:])
    return rows @ (x @ columns.T)


def _matrix(length: int, side: int, like: Tensor) -> Tensor:
    """What takes a row of `length` pixels to one of `side`, `(side, length)`."""
    # In float32, as the graph computes it: in float64, some points would fall on the other side of a pixel.
    at = torch.arange(side, dtype=torch.float32) * torch.tensor(length / side, dtype=torch.float32)
    low = at.long()
    high = (low + 1).clamp_max(length - 1)
    weight = (at - low).to(like.dtype)
    every = torch.arange(side)
    matrix = torch.zeros(side, length, dtype=like.dtype)
    matrix[every, low] += 1 - weight
    matrix[every, high] += weight
    return matrix.to(like.device)
