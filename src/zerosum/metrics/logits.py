"""The inception score: how sure a classifier is of each sample, and how evenly samples fall into its classes."""

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from zerosum._arrays import Array, tensor
from zerosum.metrics._features import check_features, in_chunks


@dataclass(frozen=True)
class InceptionScore:
    """An inception score.

    Attributes:
        value: the mean over the splits, in [1, classes].
        spread: the standard deviation over the splits (of these, not of their mean), as papers print it; None for one.
    """

    value: float
    spread: float | None


def inception_score(logits: Array, splits: int = 1) -> InceptionScore:
    """The exponential of the mutual information of sample and class (Salimans et al. 2016, arXiv 1606.03498).

        IS = exp(E_x KL(p(y|x) || p(y))),  p(y) = E_x p(y|x), within each split

    It sees the generated samples only, and no further than the classifier's classes. One split of all samples is the
    least biased and does not depend on their order; papers took ten, of consecutive samples.

    Args:
        logits: of the classifier, `(N, classes)`, two samples or more, of any floating-point dtype.
        splits: into how many parts the samples go, 1 to N.

    Raises:
        ValueError: for logits of another kind, with NaN, or for more splits than samples.
    """
    logits = tensor(logits)
    check_features(logits, "classified")
    if not 1 <= splits <= len(logits):
        raise ValueError(f"splits must be 1 to the {len(logits)} samples that there are; found {splits}")
    bounds = [part * len(logits) // splits for part in range(splits + 1)]
    scores = [_score(logits[start:stop]) for start, stop in pairwise(bounds)]
    value = sum(scores) / splits
    spread = (sum((score - value) ** 2 for score in scores) / splits) ** 0.5
    return InceptionScore(value, None if splits == 1 else spread)


def _score(logits: Tensor) -> float:
    """exp(H(p(y)) - E H(p(y|x)))."""
    certainty, marginal = 0.0, torch.zeros(logits.shape[1], dtype=torch.float64)
    for _, part in in_chunks(logits):
        log_p = part.log_softmax(1)
        p = log_p.exp()
        certainty += float((p * log_p).sum())
        marginal += p.sum(0).cpu()
    marginal /= len(logits)
    return math.exp(certainty / len(logits) - float(torch.special.xlogy(marginal, marginal).sum()))
