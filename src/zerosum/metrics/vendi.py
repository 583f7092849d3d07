"""The Vendi score: the effective number of different samples."""

import math

import torch
from torch import Tensor

from zerosum._arrays import Array, tensor
from zerosum.metrics._features import check_features, in_chunks


def vendi_score(features: Array, order: float = 1.0) -> float:
    """The effective number of different samples (Friedman and Dieng 2023, arXiv 2210.02410, definition 3.1).

        VS = exp(-sum_i l_i log l_i)

    With l the eigenvalues of K / N, where K is the matrix of cosine similarities of all pairs of samples: from 1 if all
    are equal to N if all are orthogonal. It needs no real samples, so it does not measure fidelity, and it grows with
    N: compare at equal N. For another order q it is exp(log(sum_i l_i^q) / (1 - q)) (Pasarkar and Dieng 2023, arXiv
    2310.12952): small q weights rare kinds of samples more, and infinity uses the most frequent one only.

    K has the eigenvalues of the d x d matrix of the normalised features, so it takes min(N, d)^2 numbers.

    Args:
        features: `(N, d)`, one sample or more, of any floating-point dtype. Samples whose features are all 0 count as
            equal to each other and orthogonal to all others.
        order: q >= 0; infinity as `math.inf`.

    Raises:
        ValueError: for invalid features, NaN, or an order below 0.
    """
    features = tensor(features)
    check_features(features, "scored", least=1)
    if not order >= 0:
        raise ValueError(f"order must be 0 or more; found {order}")
    n, d = len(features), features.shape[1] + 1
    few = n <= d
    product = torch.zeros(min(n, d), min(n, d), dtype=torch.float64)
    for first, part in in_chunks(features):
        x = _unit(part).cpu()
        if not few:
            product.addmm_(x.T, x)
            continue
        for second, other in in_chunks(features):
            product[first : first + len(x), second : second + len(other)] = x @ _unit(other).cpu().T
    shares = torch.linalg.eigvalsh(product / n).clamp_min(0)
    return _effective_number(shares / shares.sum(), order)


def _unit(rows: Tensor) -> Tensor:
    """Rows normalised to length 1 `(B, d + 1)`: the last dimension is for rows of length 0."""
    length = rows.norm(dim=1, keepdim=True)
    unit: Tensor = torch.cat([rows / length.where(length > 0, torch.ones_like(length)), (length == 0).to(rows)], 1)
    return unit


def _effective_number(shares: Tensor, order: float) -> float:
    """The exponential of the Renyi entropy of shares `(k,)` of sum 1."""
    if order == 1:
        return math.exp(-float(torch.special.xlogy(shares, shares).sum()))
    if order == math.inf:
        return 1 / float(shares.max())
    positive = shares[shares > len(shares) * 2.0**-52]  # rounding errors of zeros would count in full at order 0
    return math.pow(float(positive.pow(order).sum()), 1 / (1 - order))
