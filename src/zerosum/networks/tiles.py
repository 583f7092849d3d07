"""Large images in tiles."""

__all__ = ["tiled"]

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from zerosum.networks.conditioning import needed


def tiled(module: nn.Module, z: Tensor, c: Tensor | None, tile: int, overlap: int) -> Tensor:
    """G(z, c) from overlapping tiles of the image c, so that memory does not grow with the image.

    Of each overlap, the third next to a tile's border is discarded, and the tiles change places linearly in the third
    between. So the result equals that of the whole image, to rounding, where a third of the overlap covers how far a
    sample's pixel sees, in pixels of c: as for `SuperResolution`. It is an approximation where a pixel depends on the
    whole image, by instance norm, as in `Translator`; or on its place, by halvings, as in `UNet`, unless `tile`,
    `overlap` and sides are multiples of 2 to their number. z is the same in all tiles.

    Args:
        module: a generator that takes images c of any height and width, in evaluation mode.
        z: latents `(B, latent)`.
        c: images `(B, C, H, W)`.
        tile: height and width of a tile, in pixels of c.
        overlap: how far tiles overlap, in pixels of c, at least 0 and below `tile`; the last ones overlap by more.

    Returns:
        Samples `(B, C', f H, f W)`, where the module enlarges images by f.

    Raises:
        ValueError: for an overlap outside [0, tile), and for a module that does not enlarge images by a whole factor.
    """
    c = needed(c)
    if not 0 <= overlap < tile:
        raise ValueError(f"an overlap is at least 0 and below the tile's side of {tile}; found {overlap}")
    total: Tensor | None = None
    weights: Tensor | None = None
    for top, bottom in _spans(c.shape[2], tile, overlap):
        for left, right in _spans(c.shape[3], tile, overlap):
            x = module(z, c[:, :, top:bottom, left:right])
            f = x.shape[2] // (bottom - top)
            if x.shape[2:] != (f * (bottom - top), f * (right - left)):
                raise ValueError(
                    f"tiles need a generator that enlarges images by a whole factor; found {tuple(x.shape[2:])} "
                    f"of {bottom - top}x{right - left}"
                )
            if total is None or weights is None:
                total = x.new_zeros(*x.shape[:2], f * c.shape[2], f * c.shape[3])
                weights = x.new_zeros(*total.shape[2:])
            rows, columns = (
                _ramp(f, span, side, overlap).to(x)
                for span, side in (((top, bottom), c.shape[2]), ((left, right), c.shape[3]))
            )
            weight = rows[:, None] * columns
            place = (slice(f * top, f * bottom), slice(f * left, f * right))
            total[:, :, *place] += weight * x
            weights[place] += weight
    assert total is not None and weights is not None
    return total / weights


def _spans(side: int, tile: int, overlap: int) -> Iterator[tuple[int, int]]:
    """Begin and end of the tiles along a side; the last one ends where the side does."""
    start = 0
    while start + tile < side:
        yield start, start + tile
        start += tile - overlap
    yield max(side - tile, 0), side


def _ramp(f: int, span: tuple[int, int], side: int, overlap: int) -> Tensor:
    """The weight of each pixel of a tile along one side, float64: rising from 0 to 1 in the middle third of an overlap.

    At the image's own border it does not fall.
    """
    begin, end = span
    at = (torch.arange(f * (end - begin), dtype=torch.float64) + 0.5) / f
    weight = torch.ones_like(at)
    for distance, inner in ((at, begin > 0), (end - begin - at, end < side)):
        if inner and overlap:
            weight = weight.minimum((3 * distance / overlap - 1).clamp(0, 1))
    return weight
