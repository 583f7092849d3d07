"""Entropy and divergences of discrete probability distributions."""

import math
from typing import Literal

import torch
from torch import Tensor

from zerosum._arrays import Array, described, tensor, tensors
from zerosum.metrics._features import exact

Unit = Literal["nats", "bits"]
_UNITS = {"nats": 1.0, "bits": math.log(2)}
_NEAR_ONE = 1e-4  # tolerance for the sum of probabilities of lower precision


def entropy(p: Array, unit: Unit = "nats") -> float:
    """H(p) = -sum p log p: the entropy, from 0 for a certain outcome to log K for a uniform distribution over K.

    With `unit="bits"`, the mean length of an optimal binary code (Shannon 1948).

    Args:
        p: probabilities `(K,)` that sum to 1, of any floating-point dtype.
        unit: "nats" (natural logarithm) or "bits" (logarithm to base 2).

    Raises:
        ValueError: for invalid probabilities, or another unit.
    """
    p = tensor(p)
    p = _distribution(p, "p")
    return _in_unit(-torch.special.xlogy(p, p).sum(), unit)


def cross_entropy(p: Array, q: Array, unit: Unit = "nats") -> float:
    """H(p, q) = -sum p log q = H(p) + KL(p || q): the mean length of a code that is optimal for q, under p.

    The loss of a classifier, with the labels as p and its predictions as q. Infinite if q is 0 where p is not.
    Arguments and errors as in `kl_divergence`.
    """
    p, q = tensors(p, q)
    p, q = _distributions(p, q)
    return _in_unit(-torch.special.xlogy(p, q).sum(), unit)


def kl_divergence(p: Array, q: Array, unit: Unit = "nats") -> float:
    """KL(p || q) = sum p log(p / q) >= 0: the Kullback-Leibler divergence, the excess length of a code optimal for q.

    Not symmetric. KL(data || model) is infinite if the model misses part of the data (it penalises dropped modes), and
    KL(model || data) if it generates samples outside the data (it penalises bad samples).

    Args:
        p, q: probabilities `(K,)` that sum to 1, over the same outcomes, of any floating-point dtype.
        unit: "nats" (natural logarithm) or "bits" (logarithm to base 2).

    Raises:
        ValueError: for invalid probabilities, distributions over different outcomes, or another unit.
    """
    p, q = tensors(p, q)
    p, q = _distributions(p, q)
    return _in_unit(_kl(p, q), unit)


def js_divergence(p: Array, q: Array, unit: Unit = "nats") -> float:
    """JS(p, q) = KL(p || m) / 2 + KL(q || m) / 2 with m = (p + q) / 2: Jensen-Shannon, symmetric, from 0 to log 2.

    With the optimal discriminator the value of the minimax game is 2 JS - log 4 (Goodfellow et al. 2014, theorem 1). It
    is log 2 for any two distributions with disjoint supports, however far apart: there its gradient vanishes (Arjovsky
    et al. 2017, example 1). Arguments and errors as in `kl_divergence`.
    """
    p, q = tensors(p, q)
    p, q = _distributions(p, q)
    m = (p + q) / 2
    m = torch.where(m > 0, m, p + q)  # half of the smallest float above 0 is 0
    return _in_unit((_kl(p, m) + _kl(q, m)) / 2, unit)


def _kl(p: Tensor, q: Tensor) -> Tensor:
    # The sum of q - p is 0 and makes every term 0 or more, so rounding cannot make it negative for close p and q.
    parts: Tensor = torch.special.xlogy(p, p) - torch.special.xlogy(p, q) + (q - p)
    return parts.clamp_min(0).sum()


def _distributions(p: Tensor, q: Tensor) -> tuple[Tensor, Tensor]:
    p, q = _distribution(p, "p"), _distribution(q, "q")
    if p.shape != q.shape:
        raise ValueError(f"both distributions must be over the same outcomes; found {len(p)} and {len(q)}")
    return p, q


def _distribution(p: Tensor, name: str) -> Tensor:
    """Probabilities in float64, renormalised to sum 1."""
    if p.dim() != 1 or not p.is_floating_point() or not len(p):
        raise ValueError(f"{name} must be probabilities (K,), floating-point numbers; found {described(p)}")
    p = exact(p)
    if not bool((p >= 0).all()) or not abs(float(p.sum()) - 1) <= _NEAR_ONE:
        least, total = float(p.min()), float(p.sum())
        raise ValueError(
            f"{name} must be 0 or more and sum to 1; found a minimum of {least:.4g} and a sum of {total:.6g}"
        )
    return p / p.sum()


def _in_unit(nats: Tensor, unit: str) -> float:
    if unit not in _UNITS:
        raise ValueError(f"unit must be one of {', '.join(_UNITS)}; found {unit!r}")
    return float(nats) / _UNITS[unit]
