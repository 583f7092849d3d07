"""Reference points of objectives: losses at the equilibrium and of a perfect D, found by minimising the losses."""

from dataclasses import dataclass

import pytest
import torch

from zerosum.objectives import (
    MMD,
    AbsoluteError,
    BoundaryEquilibrium,
    EnergyBased,
    GaussianKernel,
    Hinge,
    LeastSquares,
    Minimax,
    NonSaturating,
    RationalQuadraticKernel,
    Relativistic,
    RelativisticAverage,
    Softmax,
    TopK,
    Wasserstein,
)
from zerosum.protocols import HasReference, Reference

RANKED = [
    Minimax(),
    NonSaturating(real_label=0.9),
    LeastSquares(),
    LeastSquares(a=-1.0, b=2.0),
    AbsoluteError(),
    Hinge(),
    Relativistic(),
    RelativisticAverage(),
    TopK(Hinge()),
]


@pytest.mark.parametrize("objective", RANKED, ids=repr)
def test_the_equilibrium_is_the_least_loss_for_equal_scores(objective):
    """Where the distributions are equal, the best D gives both sets the same scores."""
    levels = torch.linspace(-3, 3, 601, dtype=torch.float64)
    losses = torch.stack([objective.d_loss(level, level) for level in levels.split(1)])
    assert losses.min().item() == pytest.approx(objective.reference.equilibrium, abs=1e-3)


@pytest.mark.parametrize("objective", RANKED, ids=repr)
def test_the_loss_of_a_perfect_discriminator_is_the_least_of_all(objective):
    levels = torch.linspace(-40, 40, 81, dtype=torch.float64)
    losses = torch.stack([objective.d_loss(real, fake) for real in levels.split(1) for fake in levels.split(1)])
    assert losses.min().item() == pytest.approx(objective.reference.perfect, abs=2e-2)
    assert losses.min().item() >= objective.reference.perfect - 1e-9


@pytest.mark.parametrize("kernel", [GaussianKernel((1.0, 2.0)), RationalQuadraticKernel((1.0, 5.0))], ids=repr)
def test_features_that_separate_the_sets_have_the_least_loss_of_a_bounded_kernel(kernel):
    objective = MMD(kernel)
    real, fake = torch.zeros(4, 2), torch.full((4, 2), 1e6)
    assert objective.d_loss(real, fake).item() == pytest.approx(objective.reference.perfect, abs=1e-5)
    assert objective.d_loss(real, real).item() == pytest.approx(objective.reference.equilibrium, abs=1e-6)


def test_familiar_numbers():
    assert Minimax().reference.equilibrium == pytest.approx(1.386, abs=1e-3)
    assert Relativistic().reference.equilibrium == pytest.approx(0.693, abs=1e-3)
    assert Wasserstein().reference == Reference(Wasserstein().reference.score, equilibrium=0.0)
    assert EnergyBased(margin=3.0).reference.equilibrium == 3.0
    assert not MMD().reference.ranked and not BoundaryEquilibrium().reference.ranked
    assert Softmax().reference.equilibrium is None and Softmax().reference.ranked


@dataclass(frozen=True)
class Plain:
    """An objective of one's own, without reference points."""

    reads_real = False

    def d_loss(self, real, fake):
        return fake.mean() - real.mean()

    def g_loss(self, fake, real=None):
        return -fake.mean()


def test_a_wrapper_has_those_of_its_objective_and_own_objectives_need_none():
    assert TopK(Hinge()).reference == Hinge().reference
    assert not isinstance(Plain(), HasReference)
    assert TopK(Plain()).reference == Reference("a number")
