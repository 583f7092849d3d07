"""How well a linear classifier on features distinguishes real from generated samples."""

__all__ = ["linear_probe"]

from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum._arrays import Array, tensors
from zerosum.metrics._features import check_pair, exact

_FOLDS = 2
_RIDGE = 0.1  # added to the diagonal of the correlation matrix of the features
_CONSTANT = 1e-12  # of a feature's mean: below this, its standard deviation is rounding


@dataclass(frozen=True)
class LinearProbe:
    """The accuracy of a linear classifier of real and generated samples, and its standard error.

    Attributes:
        accuracy: mean of the shares of real and of generated samples that are recognised: 0.5 at random, at most 1.
        standard_error: of the accuracy over test samples, for the classifiers that were fitted.
    """

    accuracy: float
    standard_error: float


def linear_probe(real: Array, fake: Array) -> LinearProbe:
    """The accuracy of a linear classifier of real against generated samples, on samples that it was not fitted to.

    A two-sample test by a classifier (Lopez-Paz and Oquab 2017, arXiv 1610.06545). Among feature extractors, the one
    with the highest accuracy sees most of what is still wrong with samples: vision-aided GANs give it to D (Kumari et
    al. 2022, arXiv 2112.09130, section 3.2; there a logistic regression, here ridge regression of the labels).

    Each half of the samples is classified by a fit to the other half: every other sample, so shuffle sets in order of
    class. Features are standardised, both sets have the same weight, and 0.1 is added to the diagonal of the
    correlation matrix. The cost is that of a d x d system.

    Args:
        real, fake: features `(N, d)` and `(M, d)`, four or more samples each, of any floating-point dtype.

    Raises:
        ValueError: for invalid features, NaN, or different dimensions.
    """
    real, fake = tensors(real, fake)
    check_pair(real, fake, least=4)
    sets = [exact(real).cpu(), exact(fake).cpu()]
    right: list[list[Tensor]] = [[], []]
    for fold in range(_FOLDS):
        weight, offset = _fit(*(features[1 - fold :: _FOLDS] for features in sets))
        for kind, (features, sign) in enumerate(zip(sets, (1, -1), strict=True)):
            scores = sign * (features[fold::_FOLDS] @ weight - offset)
            right[kind].append((scores > 0).double() + (scores == 0).double() / 2)
    shares = [torch.cat(found) for found in right]
    variance = sum(float(share.var(correction=1)) / len(share) for share in shares)
    return LinearProbe(float(sum(share.mean() for share in shares)) / 2, variance**0.5 / 2)


def _fit(real: Tensor, fake: Tensor) -> tuple[Tensor, float]:
    """Weights `(d,)` and offset of the classifier, positive for real samples."""
    centre = (real.mean(0) + fake.mean(0)) / 2
    rows = torch.cat([(real - centre) / len(real) ** 0.5, (fake - centre) / len(fake) ** 0.5]) / 2**0.5
    spread = rows.norm(dim=0)
    spread = torch.where(spread > _CONSTANT * centre.abs(), spread, torch.ones_like(spread))
    scaled = rows / spread
    matrix = scaled.T @ scaled
    matrix.diagonal().add_(_RIDGE)
    weight = torch.linalg.solve(matrix, (real.mean(0) - fake.mean(0)) / spread) / spread
    return weight, float(centre @ weight)
