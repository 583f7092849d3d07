"""A second, new classifier: can real and generated samples be distinguished at all?"""

__all__ = ()

import torch
from torch import Tensor

from zerosum.diagnostics.signals._measures import share_above
from zerosum.diagnostics.signals.subject import Subject

_KERNELS = 4
_RIDGE = 1e-2


def arbiter(subject: Subject) -> dict[str, Tensor]:
    """AUC of a kernel ridge classifier of real against generated features, on samples that it was not fitted to."""
    real = subject.real
    return {
        f"arbiter{suffix}": separability(real.features, real.others_features, samples.features)
        for suffix, samples in subject.both.items()
    }


def separability(real: Tensor, others: Tensor, samples: Tensor) -> Tensor:
    """The AUC on `others` and the second half of `samples`, of a classifier fitted to `real` and the first half.

    All are features `(n, d)`; they are centred and divided by their standard deviation over all dimensions of `real`.
    """
    half = len(samples) // 2
    mean, scale = real.mean(0), real.std(correction=0).clamp_min(1e-12)
    real, others, samples = ((x - mean) / scale for x in (real, others, samples))
    fitted = torch.cat([real, samples[:half]])
    target = torch.cat([real.new_full((len(real),), 1 / len(real)), real.new_full((half,), -1 / half)])
    distances = torch.cdist(fitted, fitted)
    median = distances.median().clamp_min(1e-12)
    kernel = _kernel(distances, median)
    ridge = _RIDGE * len(fitted) * torch.eye(len(fitted), device=real.device)
    weights = torch.linalg.solve(kernel + ridge, target * len(fitted))
    scores = [_kernel(torch.cdist(x, fitted), median) @ weights for x in (others, samples[half:])]
    return share_above(*scores)


def _kernel(distances: Tensor, median: Tensor) -> Tensor:
    """A mean of Gaussian kernels, of 2, 1, 1/2 and 1/4 median distances: the fourth power of one is the next."""
    part = torch.exp(-(distances / median).square() / 8)
    total = part
    for _ in range(_KERNELS - 1):
        part = part.square().square()
        total = total + part
    return total / _KERNELS
