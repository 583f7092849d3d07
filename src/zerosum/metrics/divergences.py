"""Discrete information measures: how much a law leaves open, and how far one law is from another."""

import math
from typing import Literal

import torch
from torch import Tensor

from zerosum._arrays import Array, described, tensor, tensors
from zerosum.metrics._features import exact

Unit = Literal["nats", "bits"]
_UNITS = {"nats": 1.0, "bits": math.log(2)}
_NEAR_ONE = 1e-4  # how far probabilities of lower precision may sum from 1


def entropy(p: Array, unit: Unit = "nats") -> float:
    """H(p) = -sum p log p: how open the outcome is, from 0 where one is sure to log K where all K are alike.

    With `unit="bits"`, the questions with yes or no that a good code asks on average (Shannon 1948).

    Args:
        p: probabilities `(K,)` of sum 1, of any floating-point dtype.
        unit: "nats" (natural logarithm) or "bits" (logarithm to base 2).

    Raises:
        ValueError: for numbers that are no probabilities, or another unit.
    """
    p = tensor(p)
    p = _law(p, "p")
    return _in_unit(-torch.special.xlogy(p, p).sum(), unit)


def cross_entropy(p: Array, q: Array, unit: Unit = "nats") -> float:
    """H(p, q) = -sum p log q = H(p) + KL(p || q): the length of what p sends in the code made for q.

    It is what a classifier minimises, p being the labels and q what it says. Infinite where p has what q holds
    impossible. Arguments and errors as `kl_divergence`.
    """
    p, q = tensors(p, q)
    p, q = _laws(p, q)
    return _in_unit(-torch.special.xlogy(p, q).sum(), unit)


def kl_divergence(p: Array, q: Array, unit: Unit = "nats") -> float:
    """KL(p || q) = sum p log(p / q) >= 0: what the code made for q costs in excess where p holds (Kullback-Leibler).

    Not symmetric. KL(data || model) is infinite where the model misses something (it punishes lost modes), and
    KL(model || data) where it makes something impossible (it punishes bad samples).

    Args:
        p, q: probabilities `(K,)` of sum 1 over the same outcomes, of any floating-point dtype.
        unit: "nats" (natural logarithm) or "bits" (logarithm to base 2).

    Raises:
        ValueError: for numbers that are no probabilities, laws over unlike outcomes, or another unit.
    """
    p, q = tensors(p, q)
    p, q = _laws(p, q)
    return _in_unit(_kl(p, q), unit)


def js_divergence(p: Array, q: Array, unit: Unit = "nats") -> float:
    """JS(p, q) = KL(p || m) / 2 + KL(q || m) / 2 with m = (p + q) / 2: from 0 to log 2, symmetric, never infinite.

    Against the best discriminator the minimax game's value is 2 JS - log 4 (Goodfellow et al. 2014, theorem 1). It is
    log 2 for any two laws without an outcome in common, however far apart: there it has no slope to learn from
    (Arjovsky et al. 2017, example 1). Arguments and errors as `kl_divergence`.
    """
    p, q = tensors(p, q)
    p, q = _laws(p, q)
    m = (p + q) / 2
    return _in_unit((_kl(p, m) + _kl(q, m)) / 2, unit)


def _kl(p: Tensor, q: Tensor) -> Tensor:
    # The sum of q - p is 0 and leaves every part 0 or more, so rounding cannot make it negative for near laws.
    parts: Tensor = torch.special.xlogy(p, p) - torch.special.xlogy(p, q) + (q - p)
    return parts.clamp_min(0).sum()


def _laws(p: Tensor, q: Tensor) -> tuple[Tensor, Tensor]:
    p, q = _law(p, "p"), _law(q, "q")
    if p.shape != q.shape:
        raise ValueError(f"both laws must be over the same outcomes; found {len(p)} and {len(q)}")
    return p, q


def _law(p: Tensor, name: str) -> Tensor:
    """Probabilities in float64, of sum 1 to its last digit."""
    if p.dim() != 1 or not p.is_floating_point() or not len(p):
        raise ValueError(f"{name} must be probabilities (K,), floating-point numbers; found {described(p)}")
    p = exact(p)
    if not bool((p >= 0).all()) or not abs(float(p.sum()) - 1) <= _NEAR_ONE:
        least, total = float(p.min()), float(p.sum())
        raise ValueError(
            f"{name} must be 0 or more and sum to 1; found a least of {least:.4g} and a sum of {total:.6g}"
        )
    return p / p.sum()


def _in_unit(nats: Tensor, unit: str) -> float:
    if unit not in _UNITS:
        raise ValueError(f"unit must be one of {', '.join(_UNITS)}; found {unit!r}")
    return float(nats) / _UNITS[unit]
