"""Projections of weights after an update."""

import pytest
import torch
from torch import nn

from zerosum.terms import WeightClip


def test_clipping_bounds_every_parameter_and_moves_no_other():
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    network[1].running_mean.fill_(7.0)
    WeightClip(limit=0.3)(network)
    for name, parameter in network.named_parameters():
        assert torch.equal(parameter, before[name].clamp(-0.3, 0.3)), name
        assert parameter.requires_grad
        assert parameter.grad_fn is None
    assert (network[1].running_mean == 7).all(), "buffers are no weights"


def test_frozen_weights_are_left_as_they_are():
    network = nn.Sequential(nn.Linear(3, 4).requires_grad_(False), nn.Linear(4, 1))
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    WeightClip(limit=0.01)(network)
    assert torch.equal(network[0].weight, before["0.weight"]) and network[0].weight.abs().max() > 0.01
    assert torch.equal(network[1].weight, before["1.weight"].clamp(-0.01, 0.01))


@pytest.mark.parametrize("limit", [0.0, -1.0])
def test_a_limit_of_nothing_is_refused(limit):
    with pytest.raises(ValueError, match=f"limit is a magnitude above 0; found {limit}"):
        WeightClip(limit=limit)
