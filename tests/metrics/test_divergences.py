import math

import numpy as np
import pytest
import torch

from zerosum.metrics.divergences import cross_entropy, entropy, js_divergence, kl_divergence

P, Q = torch.tensor([0.5, 0.25, 0.25, 0.0]).double(), torch.tensor([0.25, 0.5, 0.125, 0.125]).double()


def distributions(seed, count=7):
    return [torch.from_numpy(np.random.default_rng(seed + side).dirichlet(np.ones(count))) for side in range(2)]


def test_by_hand_in_bits():
    assert entropy(P, "bits") == pytest.approx(1.5, rel=1e-14)
    assert entropy(torch.full((8,), 0.125), "bits") == pytest.approx(3.0, rel=1e-14)
    assert cross_entropy(P, Q, "bits") == pytest.approx(0.5 * 2 + 0.25 * 1 + 0.25 * 3, rel=1e-14)
    assert kl_divergence(P, Q, "bits") == pytest.approx(0.5 - 0.25 + 0.25, rel=1e-14)
    m = (P + Q) / 2
    assert js_divergence(P, Q, "bits") == pytest.approx(
        entropy(m, "bits") - entropy(P, "bits") / 2 - entropy(Q, "bits") / 2, rel=1e-13
    )


@pytest.mark.parametrize("measure", [cross_entropy, kl_divergence, js_divergence])
def test_the_unit_is_in_nats_unless_bits_are_asked_for(measure):
    assert measure(P, Q) == measure(P, Q, "nats") == pytest.approx(math.log(2) * measure(P, Q, "bits"), rel=1e-14)
    assert entropy(P) == entropy(P, "nats") == pytest.approx(math.log(2) * 1.5, rel=1e-14)


@pytest.mark.parametrize("seed", range(5))
def test_the_formulas_and_what_holds_between_them(seed):
    p, q = distributions(seed)
    a, b = p.numpy(), q.numpy()
    assert kl_divergence(p, q) == pytest.approx((a * np.log(a / b)).sum(), rel=1e-12)
    assert cross_entropy(p, q) == pytest.approx(entropy(p) + kl_divergence(p, q), rel=1e-12)
    assert cross_entropy(p, p) == pytest.approx(entropy(p), rel=1e-12)
    assert js_divergence(p, q) == pytest.approx(js_divergence(q, p), rel=1e-12)
    assert 0 < js_divergence(p, q) < min(math.log(2), (kl_divergence(p, q) + kl_divergence(q, p)) / 4)
    order = torch.randperm(7, generator=torch.Generator().manual_seed(seed))
    assert kl_divergence(p[order], q[order]) == pytest.approx(kl_divergence(p, q), rel=1e-12)


def test_probabilities_that_sum_to_nearly_1_are_taken_to_sum_to_1():
    p, q = distributions(0)
    assert entropy(p * 1.00005) == pytest.approx(entropy(p), rel=1e-13)
    assert kl_divergence(p * 1.00005, q * 0.99995) == pytest.approx(kl_divergence(p, q), rel=1e-12)


def test_equal_and_nearly_equal_distributions():
    p, _ = distributions(0, 1000)
    assert kl_divergence(p, p) == js_divergence(p, p) == 0.0
    nearly = p * (1 + 1e-6 * torch.linspace(-1, 1, 1000).double())
    assert 0 < kl_divergence(p.float(), p) < 1e-12
    nearly = nearly / nearly.sum()
    square = float(((p - nearly) ** 2 / p).sum() / 2)  # to second order
    assert kl_divergence(p, nearly) == pytest.approx(square, rel=1e-3)
    assert js_divergence(p, nearly) == pytest.approx(square / 4, rel=1e-2)


def test_what_one_law_has_and_the_other_does_not():
    one, other = torch.tensor([0.5, 0.5, 0.0, 0.0]), torch.tensor([0.0, 0.0, 0.25, 0.75])
    assert kl_divergence(one, other) == cross_entropy(one, other) == math.inf
    assert js_divergence(one, other) == pytest.approx(math.log(2), rel=1e-14)
    assert js_divergence(one, other, "bits") == pytest.approx(1, rel=1e-14)
    whole = torch.full((4,), 0.25)
    assert kl_divergence(whole, one) == math.inf
    assert kl_divergence(one, whole) == pytest.approx(math.log(2), rel=1e-14)
    rare = torch.tensor([1.0, 1e-300], dtype=torch.float64)
    assert kl_divergence(torch.tensor([0.5, 0.5]), rare) == pytest.approx(
        math.log(0.5) - 0.5 * math.log(1e-300), rel=1e-12
    )
    assert entropy(torch.tensor([0.0, 1.0])) == 0.0


def test_refusals():
    with pytest.raises(ValueError, match="unit must be one of nats, bits; found 'bans'"):
        entropy(P, "bans")
    with pytest.raises(ValueError, match="both distributions must be over the same outcomes; found 4 and 3"):
        kl_divergence(P, torch.full((3,), 1 / 3))
    with pytest.raises(ValueError, match=r"q must be probabilities \(K,\), floating-point numbers; found int64 \(2\)"):
        js_divergence(P, torch.tensor([1, 0]))
    for broken in (torch.zeros(2, 2), torch.zeros(0)):
        with pytest.raises(ValueError, match=r"p must be probabilities \(K,\), floating-point numbers; found float32"):
            entropy(broken)
    with pytest.raises(ValueError, match=r"p must be 0 or more and sum to 1; found a minimum of -0.5 and a sum of 1"):
        cross_entropy(torch.tensor([1.5, -0.5]), Q[:2])
    with pytest.raises(ValueError, match=r"p must be 0 or more and sum to 1; found a minimum of 1 and a sum of 3"):
        entropy(torch.ones(3))
    with pytest.raises(ValueError, match="p must be 0 or more and sum to 1; found a minimum of nan"):
        entropy(torch.tensor([torch.nan, 1.0]))


def test_the_divergence_is_finite_down_to_the_smallest_float():
    p = torch.tensor([5e-324, 1.0], dtype=torch.float64)
    assert abs(js_divergence(p, torch.tensor([0.0, 1.0], dtype=torch.float64))) < 1e-300
