"""Layers that let a discriminator compare the samples of a batch, so that samples all alike can be told."""

import torch
from torch import Tensor, nn


class KernelCloseness(nn.Module):
    """Append to each feature vector how close the batch is to it, seen through learnt kernels.

    Salimans et al. 2016 (arXiv 1606.03498), section 3.2: M_i = T f(x_i) has a row for each kernel b, and
    o(x_i)_b = sum over j of exp(-|M_ib - M_jb|_1). The sum is over the whole batch, x_i itself with its 1 included, as
    the paper writes it; it grows with the batch, so train and judge with batches of one size.

    Args:
        features: entries of a feature vector.
        kernels: numbers appended.
        size: entries in which a kernel compares.
    """

    def __init__(self, features: int, kernels: int, size: int) -> None:
        super().__init__()
        self.kernels, self.size = kernels, size
        # Distances of about one at first: where they are large, the exponential is flat.
        self.tensor = nn.Parameter(torch.randn(features, kernels * size) / (size * features**0.5))

    def forward(self, h: Tensor) -> Tensor:
        """`(B, features)` to `(B, features + kernels)`."""
        with torch.autocast(h.device.type, enabled=False):
            rows = (h.float() @ self.tensor).view(-1, self.kernels, self.size)
            distance = (rows[:, None] - rows[None]).abs().sum(3)
            closeness = (-distance).exp().sum(1)
        return torch.cat([h, closeness.to(h.dtype)], dim=1)


class GroupDeviation(nn.Module):
    """Append how much the samples of a group differ: one number, the mean of their standard deviations.

    Karras et al. 2018 (arXiv 1710.10196), section 3, in groups as in StyleGAN2. The deviation of each entry within a
    group is averaged over all entries, and appended to vectors as an entry and to maps as a plane. A batch is dealt
    out in turn to the fewest groups of at most `group` samples; where it does not divide, some groups are one smaller.
    In a group of one there is no deviation to see.

    Args:
        group: samples of a group.
    """

    def __init__(self, group: int) -> None:
        super().__init__()
        self.group = group

    def forward(self, h: Tensor) -> Tensor:
        """`(B, C, ...)` to `(B, C + 1, ...)`."""
        batch = len(h)
        groups = -(-batch // self.group)
        members = -(-batch // groups)
        places = torch.arange(members * groups, device=h.device).view(members, groups, 1) < batch
        rows = torch.cat([h.float().flatten(1), h.new_zeros(members * groups - batch, h[0].numel()).float()])
        rows = rows.view(members, groups, -1)
        counts = places.sum(0)
        mean = rows.sum(0) / counts
        variance = ((rows - mean).square() * places).sum(0) / counts
        deviation = (variance + 1e-8).sqrt().mean(1)
        own = deviation.repeat(members)[:batch].to(h.dtype)
        return torch.cat([h, own[(...,) + (None,) * (h.dim() - 1)].expand(-1, 1, *h.shape[2:])], dim=1)


class Apart(nn.Module):
    """A layer over a batch, applied to its first `rows` samples, a reference batch, and to the others apart."""

    def __init__(self, layer: nn.Module, rows: int) -> None:
        super().__init__()
        self.layer, self.rows = layer, rows

    def forward(self, h: Tensor) -> Tensor:
        """The layer's outputs, in the order of the samples."""
        return torch.cat([self.layer(h[: self.rows]), self.layer(h[self.rows :])])
