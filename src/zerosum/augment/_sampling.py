"""Pictures taken apart and put together elsewhere. The samples enter linearly, so gradients of any order exist."""

import torch
from torch import Tensor

# Six samples give the one halfway between the middle two exactly, for polynomials up to degree 5
# (Deslauriers and Dubuc 1989); the weights are symmetric, so that no picture shifts when it is flipped or turned.
_HALFWAY = (3 / 256, -25 / 256, 150 / 256, 150 / 256, -25 / 256, 3 / 256)


def sides(shape: torch.Size) -> tuple[int, int]:
    """Height and width of pictures; raises `ValueError` for samples that are no pictures."""
    if len(shape) != 4:
        raise ValueError(f"expected pictures (B, C, H, W) to transform; found samples of shape {tuple(shape)}")
    return shape[2], shape[3]


def mirrored(index: Tensor, side: int) -> Tensor:
    """Indices beyond 0 .. side - 1 folded back into it, as if the picture stood between two mirrors."""
    period = max(2 * (side - 1), 1)
    folded = index.remainder(period)
    return torch.minimum(folded, period - folded) if side > 1 else folded


def picked(x: Tensor, row: Tensor, column: Tensor) -> Tensor:
    """The pictures `(B, C, h, w)` whose pixels stand in x at whole rows and columns `(B, h, w)`, mirrored beyond."""
    height, width = sides(x.shape)
    start = torch.arange(len(x), device=x.device).view(-1, 1, 1) * (height * width)
    index = start + mirrored(row, height) * width + mirrored(column, width)
    pixels = x.permute(0, 2, 3, 1).flatten(0, 2).index_select(0, index.flatten())
    return pixels.view(*row.shape, -1).permute(0, 3, 1, 2)


def moved(x: Tensor, motion: Tensor, whole: bool = False) -> Tensor:
    """The pictures, each pixel taken from the place to which the sample's motion `(B, 2, 3)` carries it.

    Places are column and row in pixels, seen from the middle of the picture; beyond its edges the picture is mirrored.
    Between pixels it is read off a copy of twice the resolution, bilinearly, so that little is blurred; a place that
    is a pixel gives that pixel, to the last bit.

    Args:
        x: pictures `(B, C, H, W)`.
        motion: where each place of the result lies in x.
        whole: all motions carry pixels to pixels, so that none needs to be read between.
    """
    height, width = sides(x.shape)
    across, down = (torch.arange(side, device=x.device) - (side - 1) / 2 for side in (width, height))
    a = motion[..., None, None]
    place = a[:, :, 0] * across + a[:, :, 1] * down[:, None] + a[:, :, 2]
    column, row = place[:, 0] + (width - 1) / 2, place[:, 1] + (height - 1) / 2
    if whole:
        return picked(x, (row + 0.5).floor().long(), (column + 0.5).floor().long())
    return _between(_doubled(_doubled(x, 2), 3), 2 * row, 2 * column)


def _doubled(x: Tensor, dim: int) -> Tensor:
    """The same along a dimension of side n at 2n - 1 places: the n there are and those halfway between."""
    side = x.shape[dim]
    wide = x.index_select(dim, mirrored(torch.arange(-2, side + 2, device=x.device), side))
    halfway = torch.zeros((), device=x.device)
    for i, weight in enumerate(_HALFWAY):
        halfway = halfway + weight * wide.narrow(dim, i, side - 1)
    pairs = torch.stack((x.narrow(dim, 0, side - 1), halfway), dim + 1).flatten(dim, dim + 1)
    return torch.cat((pairs, x.narrow(dim, side - 1, 1)), dim)


def _between(x: Tensor, row: Tensor, column: Tensor) -> Tensor:
    """The pictures read bilinearly at any rows and columns `(B, h, w)`."""
    top, left = row.floor(), column.floor()
    lower, right = row - top, column - left
    total = torch.zeros((), device=x.device)
    for i, vertical in enumerate((1 - lower, lower)):
        for j, horizontal in enumerate((1 - right, right)):
            corner = picked(x, top.long() + i, left.long() + j)
            total = total + (vertical * horizontal)[:, None] * corner
    return total
