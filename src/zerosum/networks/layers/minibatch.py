"""Layers that let a discriminator compare the samples of a batch, so that mode collapse can be detected."""

__all__ = ["GroupStddev", "KernelCloseness"]

from typing import ClassVar

import torch
from torch import Tensor, nn

from zerosum.game.distributed import everyone, own_rows
from zerosum.game.precision import at_least_float32

EPSILON = 1e-8  # added to the variance of a group, under the root: it bends sharply at samples that are alike


def _dealt(rows: Tensor, group: int) -> tuple[Tensor, Tensor]:
    """Rows `(B, ...)` dealt out in turn to the fewest groups of at most `group`, `(members, groups, ...)`.

    Where the batch does not divide, some groups are one smaller. Second comes where there is a row and not a zero,
    `(members, groups)`.
    """
    batch = len(rows)
    groups = -(-batch // group)
    members = -(-batch // groups)
    places = torch.arange(members * groups, device=rows.device).view(members, groups) < batch
    filled = torch.cat([rows, rows.new_zeros(members * groups - batch, *rows.shape[1:])])
    return filled.view(members, groups, *rows.shape[1:]), places


class _Comparison(nn.Module):
    """A layer that compares the samples of a batch: in training that of all ranks, else its own."""

    whole_batch: ClassVar[str] = "a layer of D compares the samples of the batch"

    def gathered(self, rows: Tensor) -> Tensor:
        """The rows of the batch that is compared, from this rank's `(B, ...)`."""
        return everyone([rows])[0] if self.training else rows

    def dealt_back(self, rows: Tensor) -> Tensor:
        """This rank's rows of that batch."""
        return own_rows(rows) if self.training else rows


class KernelCloseness(_Comparison):
    """Append to each feature vector how close the batch is to it, seen through learnt kernels.

    Salimans et al. 2016 (arXiv 1606.03498), section 3.2: M_i = T f(x_i) has a row for each kernel b, and
    o(x_i)_b = sum over j of exp(-|M_ib - M_jb|_1). The sum is over the whole batch, or the sample's group, x_i itself
    with its 1 included, as the paper writes it; it grows with them, so train and evaluate with batches of one size.

    Args:
        features: dimensions of a feature vector.
        kernels: numbers appended.
        size: dimensions in which a kernel compares.
        group: samples that are compared with each other; None for all of the batch.
    """

    def __init__(self, features: int, kernels: int, size: int, group: int | None = None) -> None:
        super().__init__()
        self.kernels, self.size, self.group = kernels, size, group
        # Distances of about one at first: where they are large, the exponential is flat.
        self.tensor = nn.Parameter(torch.randn(features, kernels * size) / (size * features**0.5))

    def forward(self, h: Tensor) -> Tensor:
        """`(B, features)` to `(B, features + kernels)`."""
        with torch.autocast(h.device.type, enabled=False):
            every = self.gathered(at_least_float32(h) @ self.tensor)
            rows, places = _dealt(every.view(-1, self.kernels, self.size), self.group or len(every))
            distance = (rows[:, None] - rows[None]).abs().sum(4)
            closeness = ((-distance).exp() * places[None, :, :, None]).sum(1)
        return torch.cat([h, self.dealt_back(closeness.flatten(0, 1)[: len(every)]).to(h.dtype)], dim=1)


class GroupStddev(_Comparison):
    """Append how much the samples of a group differ: one number, the mean of their standard deviations.

    Karras et al. 2018 (arXiv 1710.10196), section 3, in groups as in StyleGAN2. The standard deviation of each element
    within a group is averaged over all elements, and appended to vectors as a dimension and to maps as a plane. It is 0
    in a group of one.

    Args:
        group: samples of a group; a batch that does not divide has some smaller by one.
    """

    def __init__(self, group: int) -> None:
        super().__init__()
        self.group = group

    def forward(self, h: Tensor) -> Tensor:
        """`(B, C, ...)` to `(B, C + 1, ...)`."""
        every = self.gathered(at_least_float32(h).flatten(1))
        rows, places = _dealt(every, self.group)
        there = places[:, :, None]
        counts = there.sum(0)
        mean = rows.sum(0) / counts
        variance = ((rows - mean).square() * there).sum(0) / counts
        std = (variance + EPSILON).sqrt().mean(1)
        own = self.dealt_back(std.repeat(len(rows))[: len(every)]).to(h.dtype)
        return torch.cat([h, own[(...,) + (None,) * (h.dim() - 1)].expand(-1, 1, *h.shape[2:])], dim=1)


class Apart(nn.Module):
    """A layer over a batch, applied to its first `rows` samples, a reference batch, and to the others apart."""

    def __init__(self, layer: nn.Module, rows: int) -> None:
        super().__init__()
        self.layer, self.rows = layer, rows

    def forward(self, h: Tensor) -> Tensor:
        """The layer's outputs, in the order of the samples."""
        return torch.cat([self.layer(h[: self.rows]), self.layer(h[self.rows :])])
