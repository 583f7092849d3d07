"""Errors that the product test must detect: a loss detached from the gradient, an unused parameter."""

import itertools
from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from torch import nn
from torch.nn.functional import softplus

from zerosum.game import Batch, Normal
from zerosum.networks import MLPDiscriminator, MLPGenerator
from zerosum.objectives import Hinge, NonSaturating, Softmax
from zerosum.terms import R1, WeightDecay


@dataclass(frozen=True)
class Hidden:
    """A wrong objective: its loss of D depends on the mean score, detached from the gradient."""

    reads_real: ClassVar[bool] = False

    def d_loss(self, real, fake):
        return softplus(fake - real).mean() + real.mean().detach()

    def g_loss(self, fake, real=None):
        return -fake.mean()


@dataclass(frozen=True)
class DetachedD:
    """A wrong objective, from which D learns nothing."""

    reads_real: ClassVar[bool] = False

    def d_loss(self, real, fake):
        return softplus(-real).mean().detach() + softplus(fake).mean().detach() + 0 * real.sum()

    def g_loss(self, fake, real=None):
        return -fake.mean()


@dataclass(frozen=True)
class DetachedG:
    """A wrong objective, from which G learns nothing."""

    reads_real: ClassVar[bool] = False

    def d_loss(self, real, fake):
        return softplus(fake).mean() + softplus(-real).mean()

    def g_loss(self, fake, real=None):
        return 0 * fake.mean()


class Own(nn.Module):
    """A discriminator of one's own, with other names than the library's."""

    def __init__(self):
        super().__init__()
        self.first, self.end = nn.Linear(2, 8), nn.Linear(8, 1, bias=False)
        self.height = nn.Parameter(torch.zeros(()))

    def forward(self, x):
        return self.end(self.first(x).tanh()).squeeze(1) + self.height


@dataclass(frozen=True)
class Setup:
    """Two networks for points."""

    D: nn.Module
    shape: tuple = (2,)

    def networks(self):
        return self.D, MLPGenerator(hidden=(8, 8), activation="silu").build(3, self.shape, None)

    def batches(self):
        for position in itertools.count(step=4):
            yield Batch(torch.randn(4, 2, generator=torch.Generator().manual_seed(position)), None, position)


@pytest.fixture
def play(open_session):
    """Run two steps of an objective in a setup with this D, with R1 and weight decay if given."""

    def game(objective, D=None, terms=()):
        D = MLPDiscriminator(hidden=(8, 8), activation="silu").build((2,), None) if D is None else D
        session = open_session(Setup(D), Normal(3), terms)
        return session.play(objective, [("D", term) for term in terms], every=True)

    return game


@pytest.mark.parametrize("objective", [NonSaturating(), Softmax(), Hinge()], ids=repr)
def test_correct_ones_pass_with_any_parameter_names(play, objective):
    play(objective, Own()).check(all_terms=False)


def test_a_partly_detached_objective_fails(play):
    with pytest.raises(AssertionError, match=r"Hidden does not train these parameters of Own(.|\n)*'height'"):
        play(Hidden(), Own()).check(all_terms=False)


def test_a_fully_detached_objective_fails(play):
    with pytest.raises(AssertionError, match="no gradient by any parameter"):
        play(DetachedD()).check(all_terms=False)
    with pytest.raises(AssertionError, match="G learns nothing: no gradient of g_loss reaches it"):
        play(DetachedG())


def test_a_parameter_that_is_cut_off_from_the_gradient_fails(play):
    class Cut(Own):
        def forward(self, x):
            return self.end(self.first(x).tanh()).squeeze(1) + self.height.detach()

    with pytest.raises(AssertionError, match=r"Cut has parameters that nothing depends on(.|\n)*'height'"):
        play(NonSaturating(), Cut(), (R1(), WeightDecay())).check(all_terms=True)
