"""Ways through a space: lines, arcs, loops and grids, truncation, style mixing and arithmetic."""

__all__ = ["analogy", "linear", "loop", "mesh", "mixed_styles", "spherical", "truncated"]

import torch
from torch import Tensor


def linear(start: Tensor, end: Tensor, share: Tensor | float) -> Tensor:
    """start + share (end - start); points `(..., *shape)`, for w and conditions."""
    return start + share * (end - start)


def spherical(start: Tensor, end: Tensor, share: Tensor | float) -> Tensor:
    """Points `(n, d)` on the arcs between two points, at a share in [0, 1] of the angle; for a normal z.

    Shoemake 1985's slerp of the directions, with the length interpolated linearly, so that points keep the radius of
    the prior. Opposite and equal directions are joined by a straight line.
    """
    lengths = [point.norm(dim=-1, keepdim=True).clamp_min(1e-12) for point in (start, end)]
    one, other = start / lengths[0], end / lengths[1]
    angle = (one * other).sum(-1, keepdim=True).clamp(-1, 1).acos()
    share = torch.as_tensor(share, dtype=start.dtype)
    sine = angle.sin()
    straight = sine.abs() < 1e-4
    safe = torch.where(straight, torch.ones_like(sine), sine)
    arc = ((1 - share) * angle).sin() / safe * one + (share * angle).sin() / safe * other
    length = lengths[0] + share * (lengths[1] - lengths[0])
    return torch.where(straight, linear(start, end, share), arc * length)


def _between(start: Tensor, end: Tensor, share: float, space: str) -> Tensor:
    return spherical(start, end, share) if space == "z" else linear(start, end, share)


def loop(points: Tensor, steps: int, space: str = "z") -> Tensor:
    """A closed path through points `(k, *shape)`, `(k steps, *shape)`: spherical in z, linear in other spaces.

    Point i is at place i * steps; the last step leads back to the first. Raises `ValueError` for fewer than 2 points
    or fewer than 1 step.
    """
    if len(points) < 2 or steps < 1:
        raise ValueError(f"a loop takes at least 2 points and 1 step; found {len(points)} and {steps}")
    ends = points.roll(-1, 0)
    path = [_between(points, ends, step / steps, space) for step in range(steps)]
    return torch.stack(path, 1).flatten(0, 1)


def mesh(corners: Tensor, rows: int, columns: int, space: str = "z") -> Tensor:
    """A grid between four corners `(4, *shape)`, top left, top right, bottom left, bottom right.

    Returns `(rows * columns, *shape)`, row by row. Raises `ValueError` for another number of corners, and for fewer
    than 2 rows or columns.
    """
    if len(corners) != 4 or rows < 2 or columns < 2:
        raise ValueError(
            f"a grid has 4 corners and 2 or more rows and columns; found {len(corners)}, {rows}, {columns}"
        )
    down = [row / (rows - 1) for row in range(rows)]
    left, right = (
        torch.cat([_between(corners[i : i + 1], corners[i + 2 : i + 3], share, space) for share in down])
        for i in (0, 1)
    )
    across = [_between(left, right, column / (columns - 1), space) for column in range(columns)]
    return torch.stack(across, 1).flatten(0, 1)


def truncated(points: Tensor, centre: Tensor, psi: float) -> Tensor:
    """centre + psi (points - centre): 0 gives the centre, 1 changes nothing (Karras et al. 2019, arXiv 1812.04948)."""
    return centre + psi * (points - centre)


def mixed_styles(coarse: Tensor, fine: Tensor, layer: int) -> Tensor:
    """The w of one sample up to a layer and of another from it on, `(n, layers, size)`: style mixing.

    Karras et al. 2019 (arXiv 1812.04948), section 3.1. Raises `ValueError` for a layer that does not exist.
    """
    if coarse.shape != fine.shape or coarse.dim() != 3 or not 0 < layer < coarse.shape[1]:
        raise ValueError(
            f"styles (n, layers, size) of equal shapes are mixed from a layer between them on; found "
            f"{tuple(coarse.shape)}, {tuple(fine.shape)} and layer {layer}"
        )
    return torch.cat([coarse[:, :layer], fine[:, layer:]], 1)


def analogy(minus: Tensor, plus: Tensor, base: Tensor) -> Tensor:
    """base - minus + plus, by the means of samples `(n, *shape)` of each: smiling woman - woman + man.

    Radford et al. 2016 (arXiv 1511.06434), section 6.3.2. Returns `(*shape,)`.
    """
    return base.mean(0) - minus.mean(0) + plus.mean(0)
