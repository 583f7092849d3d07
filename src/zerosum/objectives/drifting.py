"""Drifting: generated samples are drawn to real ones and kept from each other, without a discriminator."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from zerosum.objectives._distances import squared_distances, vectors
from zerosum.protocols import Reference


@dataclass(frozen=True)
class Drifting:
    """Drifting: Deng et al. 2026, "Generative Modeling via Drifting" (arXiv 2602.04770), on scores as feature vectors.

    Each generated sample x drifts by V(x) = V+ - V-: towards real samples y+ and away from other generated ones y-,
    both weighted by the kernel exp(-|x - y| / r), normalised over the samples (rows) and over x (columns). The fields
    of the radii are each divided by their root mean square and added, and G is regressed on where its samples drift:

        L_G = E |x - stop(x + V(x))|^2 / C, in units of the mean distance / sqrt(C), C the dimensions of x.

    V is the field of algorithm 2 and appendix A.6 of the paper, with real samples of the batch as positives and without
    guidance. Nothing is learned but G: use a discriminator without parameters, `IdentityDiscriminator()` for samples as
    they are. A D with parameters maximises the mean square of the field, which is not in the paper. On images the paper
    depends on features of a pretrained network; between pixels, distances say little.

    Args:
        radii: r, as shares of the mean distance in the batch (> 0).
    """

    radii: tuple[float, ...] = (0.02, 0.05, 0.2)
    reads_real: ClassVar[bool] = True
    whole_batch: ClassVar[str] = "compares every sample of the batch with every other"
    reference: ClassVar[Reference] = Reference("a vector of features", ranked=False)

    def __post_init__(self) -> None:
        if not len(self.radii) or not all(radius > 0 for radius in self.radii):
            raise ValueError(f"radii must be one or more numbers above 0; found {self.radii}")

    def fields(self, x: Tensor, y: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The drift of generated samples x `(N, C)` by real ones y `(M, C)` under each radius.

        Returns x and the fields, in units of the mean distance of different samples, divided by sqrt(C).
        """
        if len(x) < 2:
            raise ValueError(f"Drifting compares within a batch and needs at least 2 generated samples; found {len(x)}")
        distance = squared_distances(x, torch.cat([y, x])).clamp_min(1e-24).sqrt()
        itself = torch.zeros_like(distance, dtype=torch.bool)
        itself[:, len(y) :].fill_diagonal_(True)
        mean = distance.detach().masked_fill(itself, 0.0).sum() / (distance.numel() - len(x))  # no index, which waits
        x, y = (rows * (x.shape[1] ** 0.5 / mean) for rows in (x, y))
        fields = []
        for radius in self.radii:
            logits = (-distance / (radius * mean)).masked_fill(itself, -torch.inf)
            affinity = (logits - (logits.logsumexp(1, keepdim=True) + logits.logsumexp(0, keepdim=True)) / 2).exp()
            real, fake = affinity[:, : len(y)], affinity[:, len(y) :]
            # Both weights of a sample have the same sum, so a shift of all samples changes nothing.
            fields.append((real * fake.sum(1, keepdim=True)) @ y - (fake * real.sum(1, keepdim=True)) @ x)
        return x, fields

    def d_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """-sum_r E |V_r|^2 / C, a scalar from features `(B, ...)`."""
        with torch.autocast(real.device.type, enabled=False):
            _, fields = self.fields(vectors(fake), vectors(real))
            return -torch.stack(fields).square().mean((1, 2)).sum()

    def g_loss(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """E |x - stop(x + V(x))|^2 / C, a scalar from features `(B, ...)`."""
        if real is None:
            raise ValueError("Drifting compares with real samples: give g_loss(fake, real)")
        with torch.autocast(fake.device.type, enabled=False):
            x, fields = self.fields(vectors(fake), vectors(real).detach())
            field = torch.stack(fields).detach()
            size = field.square().mean((1, 2), keepdim=True).sqrt()
            target = x.detach() + (field / size.clamp_min(torch.finfo(field.dtype).tiny)).sum(0)
            return (x - target).square().mean()
