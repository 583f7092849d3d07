"""Connected components of masks: their number in each image, areas and centres."""

__all__ = ()

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

from zerosum._arrays import Array, tensor


@dataclass(frozen=True, eq=False)
class Components:
    """The connected components of masks, numbered from 0 in each image in the order of their first pixels.

    If an image has fewer than another, the rest of its row has area 0.

    Attributes:
        labels: the component of each pixel, int64 `(B, H, W)`; -1 for the background.
        areas: in pixels, float64 `(B, parts)`.
        centres: x and y, float64 `(B, parts, 2)`, where the centre of the first pixel is (0.5, 0.5).
        at_edge: whether a component touches the image's edge, bool `(B, parts)`.
    """

    labels: Tensor
    areas: Tensor
    centres: Tensor
    at_edge: Tensor

    def count(self, smallest: float = 0.0, largest: float = float("inf")) -> Tensor:
        """The number of components of each image with an area above `smallest` and up to `largest`, int64 `(B,)`."""
        return ((self.areas > smallest) & (self.areas <= largest)).sum(1)


def components(mask: Array) -> Components:
    """Find the 4-connected components of masks, bool `(B, H, W)`.

    Every pixel takes the largest label among its neighbours, then the label of the pixel that this label names, until
    nothing changes.
    """
    mask = tensor(mask)
    if mask.dtype != torch.bool or mask.dim() != 3:
        raise ValueError(f"connected components are of masks, bool (B, H, W); found {mask.dtype} {tuple(mask.shape)}")
    count, height, width = mask.shape
    pixels = height * width
    # 0 is the background.
    root = torch.arange(1, pixels + 1, device=mask.device).view(1, height, width) * mask
    while True:
        beside = root.clone()
        for axis, length in ((1, height), (2, width)):
            for here, there in ((0, 1), (1, 0)):
                to = beside.narrow(axis, here, length - 1)
                torch.maximum(to, root.narrow(axis, there, length - 1), out=to)
        numbers = (beside * mask).view(count, pixels)
        followed = pad(numbers, (1, 0)).gather(1, numbers).view_as(root)
        if torch.equal(followed, root):
            break
        root = followed
    return _measured(root.view(count, pixels) - 1, height, width)


def _measured(root: Tensor, height: int, width: int) -> Components:
    """Components numbered by their first pixels, from the last pixel of each, `(B, pixels)`, -1 for the background."""
    count, pixels = root.shape
    place = torch.arange(pixels, device=root.device).expand(count, -1)
    none = torch.full((count, pixels + 1), pixels, device=root.device)
    first = none.scatter_reduce(1, root + 1, place, "amin")[:, 1:].gather(1, root.clamp(min=0))
    begins = (place == first) & (root >= 0)
    labels = torch.where(root >= 0, (begins.cumsum(1) - 1).gather(1, first.clamp(max=pixels - 1)), -1)
    parts = int(begins.sum(1).max()) if count else 0
    x, y = (place % width).double() + 0.5, (place // width).double() + 0.5
    edge = ((x < 1) | (y < 1) | (x > width - 1) | (y > height - 1)).double()
    sums = torch.zeros(4, count, parts + 1, dtype=torch.float64, device=root.device)
    for total, values in zip(sums, (torch.ones_like(x), x, y, edge), strict=True):
        total.scatter_add_(1, labels + 1, values)
    areas, across, down, edges = sums[:, :, 1:]
    centres = torch.stack([across, down], -1) / areas.clamp(min=1)[..., None]
    return Components(labels.view(count, height, width), areas, centres, edges > 0)
