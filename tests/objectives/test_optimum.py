"""What scores of the optimal discriminator mean: the share of real samples at a point."""

import pytest
import torch

from zerosum.objectives import (
    MMD,
    AbsoluteError,
    Hinge,
    LeastSquares,
    Minimax,
    NonSaturating,
    Relativistic,
    TopK,
    Wasserstein,
)
from zerosum.protocols import HasOptimum

KNOWN = [
    Minimax(),
    NonSaturating(),
    NonSaturating(real_label=0.9),
    LeastSquares(),
    LeastSquares(a=-1.0, b=1.0, c=0.0),
    TopK(Minimax()),
]


@pytest.mark.parametrize("objective", KNOWN, ids=repr)
def test_the_best_score_at_a_point_means_the_share_of_real_samples(objective):
    for share in (0.1, 0.5, 0.85):
        p, q = share, 1 - share
        score = torch.zeros(1, dtype=torch.float64, requires_grad=True)
        for _ in range(12):  # Newton's method on D's loss where p real samples meet q generated ones
            nothing = score.detach()
            loss = p * objective.d_loss(score, nothing) + q * objective.d_loss(nothing, score)
            (slope,) = torch.autograd.grad(loss, score, create_graph=True)
            (curvature,) = torch.autograd.grad(slope, score)
            with torch.no_grad():
                score -= slope / curvature
        torch.testing.assert_close(objective.probability(score.detach()), torch.tensor([share]).double())


@pytest.mark.parametrize("objective", [Hinge(), Wasserstein(), Relativistic(), MMD(), AbsoluteError()], ids=repr)
def test_other_scores_are_no_probability_of_a_known_optimum(objective):
    assert not isinstance(objective, HasOptimum)


def test_top_k_has_the_optimum_of_its_objective():
    assert TopK(Hinge()).probability is None
