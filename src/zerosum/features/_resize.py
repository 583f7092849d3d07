"""Resizing of images for networks, which is part of the protocol of every score."""

import torch
from torch import Tensor
from torch.nn.functional import interpolate

TENSORFLOW_1 = "bilinear of TensorFlow 1"  # corners not aligned, no half-pixel centres, no antialiasing
BICUBIC = "antialiased bicubic"


def bicubic(x: Tensor, side: int) -> Tensor:
    """Resize `(B, C, H, W)` of 0..255 to `(B, C, side, side)`: antialiased, clamped to 0..255."""
    if x.shape[2:] == (side, side):
        return x
    return interpolate(x, (side, side), mode="bicubic", antialias=True).clamp_(0, 255)


def tensorflow_bilinear(x: Tensor, side: int) -> Tensor:
    """Resize `(B, C, H, W)` to `(B, C, side, side)` as `tf.image.resize_bilinear` of TensorFlow 1 does by default.

    Output pixel i is interpolated at i * H / side, between two pixels, with the last one repeated: not centred, and
    without antialiasing. It is linear, so it is computed with a matrix for each axis.
    """
    rows, columns = (_matrix(length, side, x) for length in x.shape[2:])
    return rows @ (x @ columns.T)


def _matrix(length: int, side: int, like: Tensor) -> Tensor:
    """The matrix `(side, length)` that resizes a row of `length` pixels to `side`."""
    # In float32, as the graph computes it: in float64, some points would fall in another pixel.
    at = torch.arange(side, dtype=torch.float32) * torch.tensor(length / side, dtype=torch.float32)
    low = at.long()
    high = (low + 1).clamp_max(length - 1)
    weight = (at - low).to(like.dtype)
    every = torch.arange(side)
    matrix = torch.zeros(side, length, dtype=like.dtype)
    matrix[every, low] += 1 - weight
    matrix[every, high] += weight
    return matrix.to(like.device)
