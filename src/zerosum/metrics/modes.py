"""Mode coverage: the modes of a known distribution that samples cover, and how evenly."""

import math
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from zerosum._arrays import Array, tensors

IN_THE_PLANE = 3.0  # radius of a high-quality sample in the plane, in standard deviations, by convention


@dataclass(frozen=True)
class ModeCoverage:
    """The coverage of a multimodal distribution by samples.

    Attributes:
        modes: number of modes of the distribution.
        found: modes with at least one sample.
        high_quality: share of samples within the radius of a mode, or classified with confidence.
        kl: Kullback-Leibler divergence, in nats, of the samples' modes from the true distribution over modes.
    """

    modes: int
    found: int
    high_quality: float
    kl: float

    def as_dict(self) -> dict[str, float]:
        """The fields as a dictionary."""
        return asdict(self)


def mode_radius(dimensions: int) -> float:
    """The radius, in standard deviations, that contains the same mass of a Gaussian as radius 3 does in the plane.

    That share is 1 - exp(-9/2), 98.9 %. In more dimensions a Gaussian lies further from its centre: in 64 all of it is
    beyond 3 standard deviations, and most of it near 8. With |x|^2 / std^2 ~ chi^2 with d degrees of freedom, P(|x| <=
    r std) is the regularised incomplete gamma function of d/2 and r^2/2, which is inverted by bisection.
    """
    if dimensions < 1:
        raise ValueError(f"dimensions must be 1 or more; found {dimensions}")
    share = -math.expm1(-(IN_THE_PLANE**2) / 2)
    half = torch.tensor(dimensions / 2, dtype=torch.float64)
    low, high = 0.0, math.sqrt(dimensions) + 2 * IN_THE_PLANE
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        inside = float(torch.special.gammainc(half, torch.tensor(middle**2 / 2, dtype=torch.float64)))
        low, high = (low, middle) if inside >= share else (middle, high)
    return high


def mode_coverage(samples: Array, centres: Array, std: float, within: float | None = None) -> ModeCoverage:
    """Count covered modes: a mode is covered if a sample lies within `within` standard deviations of its centre.

    The protocol of VEEGAN (Srivastava et al. 2017, arXiv 1705.07761) and PacGAN (Lin et al. 2018, arXiv 1712.04086),
    with 2,500 samples in the plane and a radius of 3.

    Args:
        samples: points `(N, d)`.
        centres: the modes `(K, d)`.
        std: standard deviation of each mode.
        within: radius in standard deviations; by default `mode_radius(d)`, which is 3 in the plane.

    Raises:
        ValueError: if samples and centres differ in dimension, or there are no samples.
    """
    samples, centres = tensors(samples, centres)
    if samples.dim() != 2 or centres.dim() != 2 or samples.shape[1] != centres.shape[1] or not len(samples):
        raise ValueError(f"expected points (N, d) and centres (K, d); found {samples.shape} and {centres.shape}")
    distance, nearest = torch.cdist(samples.double(), centres.double()).min(1)
    near = distance <= (mode_radius(samples.shape[1]) if within is None else within) * std
    found = int(torch.bincount(nearest[near], minlength=len(centres)).count_nonzero())
    truth = torch.full((len(centres),), 1 / len(centres), dtype=torch.float64)
    return ModeCoverage(len(centres), found, float(near.double().mean()), _divergence(nearest, truth))


def label_coverage(labels: Array, confident: Array, truth: Array) -> ModeCoverage:
    """Count covered modes that are classes, as in stacked MNIST: a mode is covered if a sample is classified as it.

    The protocol of unrolled GANs (Metz et al. 2017, arXiv 1611.02163), with 25,600 samples and 1,000 modes.

    Args:
        labels: predicted class of each sample, int64 `(N,)` in [0, K).
        confident: whether the prediction is confident, bool `(N,)`; their share is `high_quality`.
        truth: probability of each class in the data, `(K,)`, of sum 1.

    Raises:
        ValueError: if the shapes do not match, or there are no samples.
    """
    labels, confident, truth = tensors(labels, confident, truth)
    fits = labels.shape == confident.shape and labels.dim() == truth.dim() == 1 and len(labels) > 0
    if not fits or int(labels.min()) < 0 or int(labels.max()) >= len(truth):
        raise ValueError(
            f"expected labels (N,) below K, as many bools, and the distribution over modes (K,); found "
            f"{tuple(labels.shape)}, {tuple(confident.shape)} and {tuple(truth.shape)}"
        )
    found = int(torch.bincount(labels, minlength=len(truth)).count_nonzero())
    return ModeCoverage(len(truth), found, float(confident.double().mean()), _divergence(labels, truth.double()))


def _divergence(modes: Tensor, truth: Tensor) -> float:
    """KL divergence of the frequencies of modes `(N,)` from the true distribution `(K,)`, float64."""
    counts = torch.bincount(modes, minlength=len(truth)).double()
    share = counts / counts.sum()
    return float(torch.special.xlogy(share, share).sum() - torch.special.xlogy(share, truth).sum())
