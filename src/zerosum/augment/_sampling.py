"""Resampling of images. The result is linear in the samples, so gradients of any order exist."""

import torch
from torch import Tensor

# Interpolation weights of the nearest, next and third-nearest pairs of samples for the point halfway between, exact for
# polynomials up to degree 5 (Deslauriers and Dubuc 1989). They are symmetric: flips and rotations cause no shift.
_HALFWAY = (150 / 256, -25 / 256, 3 / 256)
_LOBES = 3  # of the low-pass filter, on each side: sinc(t) sinc(t / 3), Lanczos' window
_MOST = 4  # factor of shrinking up to which the filter follows
_KEPT = 1.001  # factor of shrinking below which nothing is filtered: rounding of a rotation


def image_size(shape: torch.Size) -> tuple[int, int]:
    """Height and width of images; raises `ValueError` for samples that are not images."""
    if len(shape) != 4:
        raise ValueError(f"expected images (B, C, H, W); found samples of shape {tuple(shape)}")
    return shape[2], shape[3]


def mirrored(place: Tensor, side: int) -> Tensor:
    """Coordinates outside [0, side - 1], integer or not, reflected into it: reflection padding."""
    period = 2 * max(side - 1, 1)
    folded = place.remainder(period)
    return torch.minimum(folded, period - folded).clamp_max(side - 1)


def gathered(x: Tensor, row: Tensor, column: Tensor) -> Tensor:
    """The images `(B, C, h, w)` of the pixels of x at integer rows and columns `(B, h, w)`, with reflection padding."""
    height, width = image_size(x.shape)
    index = mirrored(row, height) * width + mirrored(column, width)
    return _taken(x.permute(0, 2, 3, 1), index[None])[0].permute(0, 3, 1, 2)


def resampled(x: Tensor, motion: Tensor, whole: bool = False) -> Tensor:
    """The images, resampled by the affine map of coordinates `(B, 2, 3)` of each sample, with reflection padding.

    Coordinates are column and row in pixels, relative to the centre of the image. Between pixels the image is
    interpolated bilinearly at twice the resolution, which reduces blur; integer coordinates give the pixel itself,
    bit for bit. Where an image is shrunk, by up to four, frequencies that the result cannot hold are filtered first.

    Args:
        x: images `(B, C, H, W)`.
        motion: the map from coordinates of the result to those in x.
        whole: whether all coordinates are integers, so that no interpolation is needed.
    """
    height, width = image_size(x.shape)
    across, down = (torch.arange(side, device=x.device) - (side - 1) / 2 for side in (width, height))
    a = motion[..., None, None]
    place = a[:, :, 0] * across + a[:, :, 1] * down[:, None] + a[:, :, 2]
    column, row = place[:, 0] + (width - 1) / 2, place[:, 1] + (height - 1) / 2
    if whole:
        return gathered(x, (row + 0.5).floor().long(), (column + 0.5).floor().long())
    pixels = _low_passed(x.to(torch.promote_types(x.dtype, torch.float32)), motion).permute(0, 2, 3, 1)
    return _between(_doubled(_doubled(pixels, 1), 2), 2 * row, 2 * column).permute(0, 3, 1, 2)


def _low_passed(x: Tensor, motion: Tensor) -> Tensor:
    """The images `(B, C, H, W)` without the frequencies along rows and columns that are lost where a motion shrinks."""
    across, down = motion[:, :, :2].square().sum(2).sqrt().unbind(1)  # pixels of x for one of the result
    with torch.autocast(x.device.type, enabled=False):
        rows, columns = _low_pass(down, x.shape[2]).to(x.dtype), _low_pass(across, x.shape[3]).to(x.dtype)
        filtered = rows[:, None] @ x @ columns[:, None].mT
    shrunk = torch.maximum(across, down) > _KEPT
    return torch.where(shrunk[:, None, None, None], filtered, x)


def _low_pass(factor: Tensor, side: int) -> Tensor:
    """The filters `(B, side, side)` of lines of pixels that shrink by factors `(B,)`, with reflection padding."""
    offsets = torch.arange(-_LOBES * _MOST, _LOBES * _MOST + 1, device=factor.device)
    t = offsets / factor.clamp(1, _MOST)[:, None]
    taps = torch.where(t.abs() < _LOBES, t.sinc() * (t / _LOBES).sinc(), 0.0)
    taps = taps / taps.sum(1, keepdim=True)
    index = mirrored(torch.arange(side, device=factor.device)[:, None] + offsets, side)
    filters = taps.new_zeros(len(factor), side, side)
    return filters.scatter_add(2, index.expand(len(factor), -1, -1), taps[:, None].expand(-1, side, -1))


# Below, images are `(B, H, W, C)`: the channels of a pixel are contiguous.


def _taken(x: Tensor, index: Tensor) -> Tensor:
    """The pixels `(k, B, h, w, C)` of each image at k indices `(k, B, h, w)` for each place of the result."""
    batch, height, width, channels = x.shape
    start = torch.arange(0, batch * height * width, height * width, device=x.device).view(-1, 1, 1)
    index = index + start
    return x.reshape(-1, channels).index_select(0, index.flatten()).view(*index.shape, channels)


def _between(x: Tensor, row: Tensor, column: Tensor) -> Tensor:
    """Bilinear interpolation of the images at any rows and columns `(B, h, w)`, with reflection padding."""
    _, height, width, _ = x.shape
    row, column = mirrored(row, height), mirrored(column, width)
    top, left = row.floor(), column.floor()
    lower, right = row - top, column - left
    upper, outer = 1 - lower, 1 - right
    weights = torch.stack((upper * outer, upper * right, lower * outer, lower * right))
    # At the last row and column there is no next one, and its weight is 0.
    down, across = (top < height - 1).long() * width, (left < width - 1).long()
    first = top.long() * width + left.long()
    index = torch.stack((first, first + across, first + down, first + down + across))
    return (weights[..., None] * _taken(x, index)).sum(0)


def _doubled(x: Tensor, dim: int) -> Tensor:
    """Upsampling along a dimension from n to 2n - 1 samples: the n given and those halfway between."""
    side = x.shape[dim]
    wide = x.index_select(dim, mirrored(torch.arange(-2, side + 2, device=x.device), side))
    near, far, farthest = (
        wide.narrow(dim, 2 - i, side - 1) + wide.narrow(dim, 3 + i, side - 1) for i in range(len(_HALFWAY))
    )
    halfway = _HALFWAY[0] * near + _HALFWAY[1] * far + _HALFWAY[2] * farthest
    pairs = torch.stack((x.narrow(dim, 0, side - 1), halfway), dim + 1).flatten(dim, dim + 1)
    return torch.cat((pairs, x.narrow(dim, side - 1, 1)), dim)
