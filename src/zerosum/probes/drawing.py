"""Drawing with smooth edges: shapes as signed distances on a square of pixels, many pictures at once.

Places and lengths are in pixels, x to the right and y down from the upper left corner, so that the centre of the first
pixel is (0.5, 0.5). A distance is negative inside. Tables of numbers are drawn row by row, so that a longer table
begins with the shorter one.
"""

import torch
from torch import Tensor


def numbers(seed: int, count: int, columns: int) -> Tensor:
    """A table of even numbers in [0, 1), float32 (count, columns), that follows from the seed row by row."""
    return torch.rand(count, columns, generator=torch.Generator().manual_seed(seed))


def between(u: Tensor, low: float, high: float) -> Tensor:
    """Numbers in [0, 1) as ones in [low, high)."""
    return low + (high - low) * u


def ellipse(side: int, centre: Tensor, radii: Tensor) -> Tensor:
    """Distance (B, side, side) to ellipses of centres (B, 2) and radii (B, 2), exact for discs and near the edge.

    Others by first order, F / |grad F| with F = |(p - centre) / radii| - 1. A radius of 0 or less draws nothing.
    """
    x, y = (_line(side) - centre[:, :1])[:, None], (_line(side) - centre[:, 1:])[:, :, None]
    across, down = radii.clamp(min=1e-3)[:, :, None, None].unbind(1)
    scaled = ((x / across).square() + (y / down).square()).sqrt()
    slope = ((x / across.square()).square() + (y / down.square()).square()).sqrt()
    distance: Tensor = (scaled - 1) * scaled / slope.clamp(min=1e-6)
    return torch.where((radii > 0).all(1)[:, None, None], distance, float(side))


def polygon(side: int, corners: Tensor) -> Tensor:
    """Distance (B, side, side) to convex polygons of corners (B, k, 2), clockwise on the screen; exact at the sides."""
    along = corners.roll(-1, 1) - corners
    outward = torch.stack([along[..., 1], -along[..., 0]], -1)
    outward = outward / outward.norm(dim=-1, keepdim=True).clamp(min=1e-6)
    offset = (outward * corners).sum(-1, keepdim=True)
    x, y = outward[..., :1] * _line(side) - offset, outward[..., 1:] * _line(side)
    distance: Tensor = x[:, 0, None] + y[:, 0, :, None]
    for k in range(1, corners.shape[1]):
        distance = torch.maximum(distance, x[:, k, None] + y[:, k, :, None])
    return distance


def turned(centre: Tensor, radius: Tensor, angle: Tensor, corners: int) -> Tensor:
    """Corners (B, k, 2) of regular polygons of centres (B, 2), circumradii (B,) and angles (B,)."""
    at = angle[:, None] + torch.arange(corners) * (2 * torch.pi / corners)
    return centre[:, None] + radius[:, None, None] * torch.stack([at.cos(), at.sin()], -1)


def blocks(table: Tensor) -> tuple[Tensor, ...]:
    """A table in pieces of rows, few enough that a drawing of theirs fits the processor's cache."""
    return torch.split(table, 128)


def covered(distance: Tensor) -> Tensor:
    """How much of each pixel a shape covers, in [0, 1]: one half where its edge goes through the centre."""
    return (0.5 - distance).clamp(0, 1)


def paint(picture: Tensor, coverage: Tensor, colour: Tensor) -> Tensor:
    """Pictures (B, C, H, W) with a shape laid over: coverage (B, H, W) in colours (B, C)."""
    return picture + coverage[:, None] * (colour[:, :, None, None] - picture)


def flat(side: int, colour: Tensor) -> Tensor:
    """Pictures (B, C, side, side), each of one colour (B, C)."""
    return colour[:, :, None, None].expand(-1, -1, side, side)


def to_bytes(picture: Tensor) -> Tensor:
    """Pictures of 0..255 as uint8."""
    return picture.round().clamp(0, 255).byte()


def _line(side: int) -> Tensor:
    """The centres of pixels along one side."""
    return torch.arange(side) + 0.5
