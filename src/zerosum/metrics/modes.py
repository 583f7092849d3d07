"""Mode coverage on mixtures whose centres are known."""

from dataclasses import asdict, dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class ModeCoverage:
    """What samples found of a mixture.

    Attributes:
        modes: number of modes there are.
        found: modes near which at least one sample lies.
        high_quality: share of the samples that lie near a mode.
        kl: Kullback-Leibler divergence, in nats, of the samples' nearest modes from the uniform law over modes.
    """

    modes: int
    found: int
    high_quality: float
    kl: float

    def as_dict(self) -> dict[str, float]:
        """The numbers by name."""
        return asdict(self)


def mode_coverage(samples: Tensor, centres: Tensor, std: float, within: float = 3.0) -> ModeCoverage:
    """Count modes as the literature does: one is found when a sample lies within `within` standard deviations of it.

    The protocol of VEEGAN (Srivastava et al. 2017, arXiv 1705.07761) and PacGAN (Lin et al. 2018, arXiv 1712.04086),
    who draw 2,500 samples.

    Args:
        samples: points `(N, d)`.
        centres: the modes `(K, d)`.
        std: standard deviation of each mode.
        within: radius in standard deviations.

    Raises:
        ValueError: where samples and centres differ in dimension, or there are no samples.
    """
    if samples.dim() != 2 or centres.dim() != 2 or samples.shape[1] != centres.shape[1] or not len(samples):
        raise ValueError(f"expected points (N, d) and centres (K, d); found {samples.shape} and {centres.shape}")
    distance, nearest = torch.cdist(samples.double(), centres.double()).min(1)
    near = distance <= within * std
    counts = torch.bincount(nearest, minlength=len(centres)).double()
    share = counts / counts.sum()
    kl = torch.special.xlogy(share, share * len(centres)).sum()
    found = int(torch.bincount(nearest[near], minlength=len(centres)).count_nonzero())
    return ModeCoverage(len(centres), found, float(near.double().mean()), float(kl))
