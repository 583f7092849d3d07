"""The least error of several samples of one condition, against NumPy in float64."""

import numpy as np
import pytest
import torch

from zerosum.game import SeesWholeBatch
from zerosum.terms import L1, BestOf

X = np.array([[0.0, 0.0], [1.0, 3.0], [4.0, 4.0]])
Z = np.array([[0.5, 0.0], [-1.0, 0.0], [3.0, 5.0]])


def least(count):
    """The least error of each sample of x among the samples z of itself and of the next ones."""
    errors = [np.abs(X - np.roll(Z, -k, 0)).mean(1) for k in range(count)]
    return np.min(errors, 0).mean()


@pytest.mark.parametrize("count", [1, 2, 3])
def test_it_is_the_least_error_of_the_samples_of_own_and_next_latents(build_turn, count):
    turn = build_turn("G", None, lambda z: z, x=X, z=Z)
    assert BestOf(count, 0.7)(turn).item() == pytest.approx(0.7 * least(count), rel=1e-12)


def test_of_one_sample_it_is_l1(build_turn):
    turn = build_turn("G", None, lambda z: z, x=X, z=Z)
    assert BestOf(1, 2.0)(turn).item() == pytest.approx(L1(2.0)(turn).item(), rel=1e-12)


def test_samples_are_of_one_condition_and_only_the_nearest_is_pulled(build_turn):
    weight, seen = torch.zeros(4, 2, dtype=torch.float64, requires_grad=True), []

    def G(z, c):
        seen.append((z.requires_grad or torch.is_grad_enabled(), c.tolist()))
        return z + weight[c]

    turn = build_turn("G", None, G, x=X, z=Z, c=np.array([3, 1, 0]))
    value = BestOf(2)(turn)
    assert seen == [(True, [3, 1, 0]), (False, [3, 1, 0]), (True, [3, 1, 0])]
    rows = np.stack([Z[0], Z[2], Z[2]])
    signs = torch.from_numpy(np.sign(rows - X)) * 100 / X.size
    found = torch.autograd.grad(value, weight)[0]
    assert torch.allclose(found[[3, 1, 0]], signs) and not found[2].any()


def test_a_smaller_batch_has_fewer_samples(build_turn):
    turn = build_turn("G", None, lambda z: z, x=X, z=Z)
    assert BestOf(7)(turn).item() == BestOf(3)(turn).item()


def test_mistakes_are_refused(build_turn):
    with pytest.raises(ValueError, match="BestOf is a term of G"):
        BestOf(1)(build_turn("D", None, lambda z: z, x=X, z=Z))
    with pytest.raises(ValueError, match="count is a number of samples, at least 1; found 0"):
        BestOf(0)
    with pytest.raises(ValueError, match="weight weighs a penalty and is at least 0; found -1"):
        BestOf(weight=-1.0)
    assert isinstance(BestOf(), SeesWholeBatch) and BestOf.whole_batch
