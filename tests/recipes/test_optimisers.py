"""Optimisers as values: what is written is what torch is given."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from zerosum.recipes import Adam, RMSprop
from zerosum.terms import Cosine, Geometric


def parameters():
    return [nn.Parameter(torch.tensor([1.0, -2.0])), nn.Parameter(torch.tensor([[3.0]]))]


def stepped(optimiser, own, gradients):
    """The parameters after a step down each of the gradients."""
    for gradient in gradients:
        for parameter in own:
            parameter.grad = torch.full_like(parameter, gradient)
        optimiser.step()
    return [parameter.detach().clone() for parameter in own]


@pytest.mark.parametrize(
    ("value", "reference"),
    [
        (Adam(), lambda p: torch.optim.Adam(p, lr=0.0002, betas=(0.5, 0.999))),
        (Adam(lr=0.1, betas=(0.0, 0.9), eps=0.5), lambda p: torch.optim.Adam(p, lr=0.1, betas=(0.0, 0.9), eps=0.5)),
        (RMSprop(), lambda p: torch.optim.RMSprop(p, lr=0.00005, alpha=0.99)),
        (RMSprop(lr=0.1, alpha=0.5), lambda p: torch.optim.RMSprop(p, lr=0.1, alpha=0.5)),
    ],
    ids=["Adam", "Adam with every number", "RMSprop", "RMSprop with every number"],
)
def test_it_steps_as_torchs_plain_optimiser_does(value, reference):
    ours, theirs = parameters(), parameters()
    mine = stepped(value.build(ours), ours, (1.0, -0.5, 2.0))
    wanted = stepped(reference(theirs), theirs, (1.0, -0.5, 2.0))
    assert all(torch.allclose(a, b, atol=1e-7) for a, b in zip(mine, wanted, strict=True))


def test_beta2_rises_along_half_a_cosine_as_in_r3gan():
    """Adam's recursion in float64, with the published course of beta2: 0.9 to 0.99, linear in the half cosine."""
    value = Adam(lr=0.1, betas=(0.0, 0.9), beta2_schedule=Cosine(end=0.1))
    (own, _), wanted, square = parameters(), np.array([1.0, -2.0]), np.zeros(2)
    optimiser = value.build([own])
    for step, progress in enumerate(np.linspace(0, 1, 6), 1):
        gradient = np.array([step, -0.3 * step])
        value.adjust(optimiser, progress)
        own.grad = torch.tensor(gradient, dtype=torch.float32)
        optimiser.step()
        beta2 = 0.99 + (0.9 - 0.99) * (1 + math.cos(math.pi * progress)) / 2
        assert optimiser.param_groups[0]["betas"] == pytest.approx((0.0, beta2), rel=1e-12)
        square = beta2 * square + (1 - beta2) * gradient**2
        wanted = wanted - 0.1 * gradient / (np.sqrt(square / (1 - beta2**step)) + 1e-8)
        np.testing.assert_allclose(own.detach(), wanted, rtol=1e-5)


def test_without_a_schedule_betas_stay_as_they_are():
    optimiser = Adam(betas=(0.5, 0.9)).build(parameters())
    before = optimiser.param_groups[0]["betas"]
    Adam(betas=(0.5, 0.9)).adjust(optimiser, 0.7)
    assert optimiser.param_groups[0]["betas"] is before


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Adam(lr=0.0), "lr must be above 0; found 0.0"),
        (lambda: RMSprop(lr=-1.0), "lr must be above 0; found -1.0"),
        (lambda: RMSprop(lr=float("nan")), "lr must be above 0; found nan"),
        (lambda: Adam(betas=(0.5, 1.0)), r"betas must be in \[0, 1\); found \(0.5, 1.0\)"),
        (lambda: Adam(betas=(-0.1, 0.9)), r"betas must be in \[0, 1\); found \(-0.1, 0.9\)"),
        (lambda: RMSprop(alpha=1.0), r"alpha must be in \[0, 1\); found 1.0"),
        (lambda: Adam(beta2_schedule=Cosine()), r"keeps betas\[1\] in \[0, 1\); at progress 1 it is 1.0"),
        (lambda: Adam(betas=(0.0, 0.5), beta2_schedule=Geometric(9.0)), r"at progress 0.5 it is -0.5"),
        (lambda: Adam(eps=-1.0), "eps must be at least 0; found -1.0"),
    ],
)
def test_numbers_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
