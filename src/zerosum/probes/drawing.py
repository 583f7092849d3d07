"""Anti-aliased rendering: shapes as signed distances on square images, batched.

Positions and lengths are in pixels, x to the right and y down from the upper left corner, so that the centre of the
first pixel is (0.5, 0.5). A distance is negative inside. Tables of random numbers are generated row by row, so that a
longer table begins with the shorter one.
"""

__all__ = ()

import torch
from torch import Tensor


def numbers(seed: int, count: int, columns: int) -> Tensor:
    """A table of uniform numbers in [0, 1), float32 (count, columns), determined by the seed row by row."""
    return torch.rand(count, columns, generator=torch.Generator().manual_seed(seed))


def between(u: Tensor, low: float, high: float) -> Tensor:
    """Scale numbers from [0, 1) to [low, high)."""
    return low + (high - low) * u


def ellipse(side: int, centre: Tensor, radii: Tensor) -> Tensor:
    """Signed distance (B, side, side) to ellipses of centres and radii (B, 2), exact for discs and near the edge.

    Otherwise to first order, F / |grad F| with F = |(p - centre) / radii| - 1. A radius of 0 or less draws nothing.
    """
    x, y = (_line(side) - centre[:, :1])[:, None], (_line(side) - centre[:, 1:])[:, :, None]
    across, down = radii.clamp(min=1e-3)[:, :, None, None].unbind(1)
    scaled = ((x / across).square() + (y / down).square()).sqrt()
    gradient = ((x / across.square()).square() + (y / down.square()).square()).sqrt()
    distance: Tensor = (scaled - 1) * scaled / gradient.clamp(min=1e-6)
    return torch.where((radii > 0).all(1)[:, None, None], distance, float(side))


def polygon(side: int, corners: Tensor) -> Tensor:
    """Signed distance (B, side, side) to convex polygons of corners (B, k, 2), clockwise; exact at the edges."""
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
    """Split a table into chunks of rows whose images fit into the processor's cache."""
    return torch.split(table, 128)


def covered(distance: Tensor) -> Tensor:
    """The share of each pixel that a shape covers, in [0, 1]: one half if its edge passes through the centre."""
    return (0.5 - distance).clamp(0, 1)


def paint(image: Tensor, coverage: Tensor, colour: Tensor) -> Tensor:
    """Images (B, C, H, W) with a shape composited over them: coverage (B, H, W) in colours (B, C)."""
    return image + coverage[:, None] * (colour[:, :, None, None] - image)


def flat(side: int, colour: Tensor) -> Tensor:
    """Images (B, C, side, side), each of one colour (B, C)."""
    return colour[:, :, None, None].expand(-1, -1, side, side)


def to_bytes(image: Tensor) -> Tensor:
    """Images of 0..255 as uint8."""
    return image.round().clamp(0, 255).byte()


def _line(side: int) -> Tensor:
    """The centres of the pixels along one axis."""
    return torch.arange(side) + 0.5
