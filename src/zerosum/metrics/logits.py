"""The Inception Score: a classifier's confidence in each sample, and the balance of its classes over samples."""

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from zerosum._arrays import Array, tensor
from zerosum.metrics._features import check_features, in_chunks


@dataclass(frozen=True)
class InceptionScore:
    """An Inception Score.

    Attributes:
        value: the mean over the splits, in [1, classes].
        spread: the standard deviation over the splits (not of their mean), as papers report it; None for one split.
    """

    value: float
    spread: float | None


def inception_score(logits: Array, splits: int = 1) -> InceptionScore:
    """The exponential of the mutual information of sample and class (Salimans et al. 2016, arXiv 1606.03498).

        IS = exp(E_x KL(p(y|x) || p(y))),  p(y) = E_x p(y|x), within each split

    It uses generated samples only, and depends on the classifier's classes. One split of all samples is the least
    biased and independent of their order; papers use ten, of consecutive samples.

    Args:
        logits: of the classifier, `(N, classes)`, two samples or more, of any floating-point dtype.
        splits: number of parts into which the samples are divided, 1 to N.

    Raises:
        ValueError: for invalid logits, NaN, or more splits than samples.
    """
    logits = tensor(logits)
    check_features(logits, "classified")
    if not 1 <= splits <= len(logits):
        raise ValueError(f"splits must be 1 to the number of samples, {len(logits)}; found {splits}")
    bounds = [part * len(logits) // splits for part in range(splits + 1)]
    scores = [_score(logits[start:stop]) for start, stop in pairwise(bounds)]
    value = sum(scores) / splits
    spread = (sum((score - value) ** 2 for score in scores) / splits) ** 0.5
    return InceptionScore(value, None if splits == 1 else spread)


def _score(logits: Tensor) -> float:
    """exp(H(p(y)) - E H(p(y|x)))."""
    negative_entropy, marginal = 0.0, torch.zeros(logits.shape[1], dtype=torch.float64)
    for _, part in in_chunks(logits):
        log_p = part.log_softmax(1)
        p = log_p.exp()
        negative_entropy += float((p * log_p).sum())
        marginal += p.sum(0).cpu()
    marginal /= len(logits)
    return math.exp(negative_entropy / len(logits) - float(torch.special.xlogy(marginal, marginal).sum()))
