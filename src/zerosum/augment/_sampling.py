"""Pictures taken apart and put together elsewhere. The samples enter linearly, so gradients of any order exist."""

import torch
from torch import Tensor

# The weights of the two nearest samples, the two beyond and the next two give the one halfway between, exactly for
# polynomials up to degree 5 (Deslauriers and Dubuc 1989). They are symmetric: a flip or a turn shifts nothing.
_HALFWAY = (150 / 256, -25 / 256, 3 / 256)


def sides(shape: torch.Size) -> tuple[int, int]:
    """Height and width of pictures; raises `ValueError` for samples that are no pictures."""
    if len(shape) != 4:
        raise ValueError(f"expected pictures (B, C, H, W) to transform; found samples of shape {tuple(shape)}")
    return shape[2], shape[3]


def mirrored(place: Tensor, side: int) -> Tensor:
    """Places beyond 0 .. side - 1, whole or not, folded back into it: the picture stands between two mirrors."""
    period = 2 * max(side - 1, 1)
    folded = place.remainder(period)
    return torch.minimum(folded, period - folded).clamp_max(side - 1)


def picked(x: Tensor, row: Tensor, column: Tensor) -> Tensor:
    """The pictures `(B, C, h, w)` whose pixels stand in x at whole rows and columns `(B, h, w)`, mirrored beyond."""
    height, width = sides(x.shape)
    index = mirrored(row, height) * width + mirrored(column, width)
    return _taken(x.permute(0, 2, 3, 1), index[None])[0].permute(0, 3, 1, 2)


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
    pixels = x.permute(0, 2, 3, 1).to(torch.promote_types(x.dtype, torch.float32))
    return _between(_doubled(_doubled(pixels, 1), 2), 2 * row, 2 * column).permute(0, 3, 1, 2)


# Below, pictures are `(B, H, W, C)`: the numbers of a pixel lie together, and are moved together.


def _taken(x: Tensor, index: Tensor) -> Tensor:
    """The pixels `(k, B, h, w, C)` of each picture at k indices `(k, B, h, w)` for each place of the result."""
    batch, height, width, channels = x.shape
    start = torch.arange(0, batch * height * width, height * width, device=x.device).view(-1, 1, 1)
    index = index + start
    return x.reshape(-1, channels).index_select(0, index.flatten()).view(*index.shape, channels)


def _between(x: Tensor, row: Tensor, column: Tensor) -> Tensor:
    """The pictures read bilinearly at any rows and columns `(B, h, w)`, mirrored beyond."""
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
    """The same along a dimension of side n at 2n - 1 places: the n there are and those halfway between."""
    side = x.shape[dim]
    wide = x.index_select(dim, mirrored(torch.arange(-2, side + 2, device=x.device), side))
    near, far, farthest = (
        wide.narrow(dim, 2 - i, side - 1) + wide.narrow(dim, 3 + i, side - 1) for i in range(len(_HALFWAY))
    )
    halfway = _HALFWAY[0] * near + _HALFWAY[1] * far + _HALFWAY[2] * farthest
    pairs = torch.stack((x.narrow(dim, 0, side - 1), halfway), dim + 1).flatten(dim, dim + 1)
    return torch.cat((pairs, x.narrow(dim, side - 1, 1)), dim)
