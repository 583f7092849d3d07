"""Mode coverage: which modes of a known law samples found, and how evenly."""

import math
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from zerosum._arrays import Array, tensors

IN_THE_PLANE = 3.0  # standard deviations within which the literature calls a point of the plane good


@dataclass(frozen=True)
class ModeCoverage:
    """What samples found of a law of many modes.

    Attributes:
        modes: number of modes there are.
        found: modes of which there is at least one sample.
        high_quality: share of the samples that are good ones of a mode.
        kl: Kullback-Leibler divergence, in nats, of the samples' modes from the true law over modes.
    """

    modes: int
    found: int
    high_quality: float
    kl: float

    def as_dict(self) -> dict[str, float]:
        """The numbers by name."""
        return asdict(self)


def reach(dimensions: int) -> float:
    """The radius, in standard deviations, that holds the same share of a Gaussian as three of them do in the plane.

    That share is 1 - exp(-9/2), 98.9 %. In more dimensions a Gaussian lies further from its centre: in 64 all of it is
    beyond 3 standard deviations, and most of it near 8. With |x|^2 / std^2 ~ chi^2 of d degrees, P(|x| <= r std) is the
    regularised incomplete gamma function of d/2 and r^2/2, which is inverted here by bisection.
    """
    if dimensions < 1:
        raise ValueError(f"points have one or more dimensions; found {dimensions}")
    share = -math.expm1(-(IN_THE_PLANE**2) / 2)
    half = torch.tensor(dimensions / 2, dtype=torch.float64)
    low, high = 0.0, math.sqrt(dimensions) + 2 * IN_THE_PLANE
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        inside = float(torch.special.gammainc(half, torch.tensor(middle**2 / 2, dtype=torch.float64)))
        low, high = (low, middle) if inside >= share else (middle, high)
    return high


def mode_coverage(samples: Array, centres: Array, std: float, within: float | None = None) -> ModeCoverage:
    """Count modes as the literature does: one is found when a sample lies within `within` standard deviations of it.

    The protocol of VEEGAN (Srivastava et al. 2017, arXiv 1705.07761) and PacGAN (Lin et al. 2018, arXiv 1712.04086),
    who draw 2,500 samples in the plane and take 3.

    Args:
        samples: points `(N, d)`.
        centres: the modes `(K, d)`.
        std: standard deviation of each mode.
        within: radius in standard deviations; by default `reach(d)`, which is 3 in the plane.

    Raises:
        ValueError: where samples and centres differ in dimension, or there are no samples.
    """
    samples, centres = tensors(samples, centres)
    if samples.dim() != 2 or centres.dim() != 2 or samples.shape[1] != centres.shape[1] or not len(samples):
        raise ValueError(f"expected points (N, d) and centres (K, d); found {samples.shape} and {centres.shape}")
    distance, nearest = torch.cdist(samples.double(), centres.double()).min(1)
    near = distance <= (reach(samples.shape[1]) if within is None else within) * std
    found = int(torch.bincount(nearest[near], minlength=len(centres)).count_nonzero())
    truth = torch.full((len(centres),), 1 / len(centres), dtype=torch.float64)
    return ModeCoverage(len(centres), found, float(near.double().mean()), _divergence(nearest, truth))


def label_coverage(labels: Array, confident: Array, truth: Array) -> ModeCoverage:
    """Count modes where they are classes, as in stacked MNIST: one is found when a sample is read as its class.

    The protocol of unrolled GANs (Metz et al. 2017, arXiv 1611.02163), who read 25,600 samples of 1,000 modes.

    Args:
        labels: what each sample was read as, int64 `(N,)` in [0, K).
        confident: whether it was read with confidence, bool `(N,)`; their share is the high quality.
        truth: probability of each class in the data, `(K,)`, of sum 1.

    Raises:
        ValueError: where the three do not fit each other, or there are no samples.
    """
    labels, confident, truth = tensors(labels, confident, truth)
    fits = labels.shape == confident.shape and labels.dim() == truth.dim() == 1 and len(labels) > 0
    if not fits or int(labels.min()) < 0 or int(labels.max()) >= len(truth):
        raise ValueError(
            f"expected labels (N,) below K, as many bools, and the law over modes (K,); found {tuple(labels.shape)}, "
            f"{tuple(confident.shape)} and {tuple(truth.shape)}"
        )
    found = int(torch.bincount(labels, minlength=len(truth)).count_nonzero())
    return ModeCoverage(len(truth), found, float(confident.double().mean()), _divergence(labels, truth.double()))


def _divergence(modes: Tensor, truth: Tensor) -> float:
    """KL of the shares of modes `(N,)` from the true law `(K,)`, float64."""
    counts = torch.bincount(modes, minlength=len(truth)).double()
    share = counts / counts.sum()
    return float(torch.special.xlogy(share, share).sum() - torch.special.xlogy(share, truth).sum())
