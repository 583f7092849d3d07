"""Optimisers as values: what is written is what torch is given."""

import pytest
import torch
from torch import nn

from zerosum.recipes import Adam, RMSprop


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


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Adam(lr=0.0), "lr must be above 0; found 0.0"),
        (lambda: RMSprop(lr=-1.0), "lr must be above 0; found -1.0"),
        (lambda: RMSprop(lr=float("nan")), "lr must be above 0; found nan"),
        (lambda: Adam(betas=(0.5, 1.0)), r"betas must be in \[0, 1\); found \(0.5, 1.0\)"),
        (lambda: Adam(betas=(-0.1, 0.9)), r"betas must be in \[0, 1\); found \(-0.1, 0.9\)"),
        (lambda: RMSprop(alpha=1.0), r"alpha must be in \[0, 1\); found 1.0"),
        (lambda: Adam(eps=-1.0), "eps must be at least 0; found -1.0"),
    ],
)
def test_numbers_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
