"""Convolutions fused with a doubling or a halving do what the two do one after the other."""

import pytest
import torch
from torch import nn
from torch.nn.functional import avg_pool2d, interpolate

from zerosum.networks.layers.fused import convolved_and_halved, raised_and_convolved
from zerosum.networks.layers.spectral import SpectralNorm

SIDES = [(8, 8), (6, 10), (7, 8), (8, 7), (7, 7)]


def pair(spectral, before=3, after=5):
    """Two equal layers: each call under spectral norm moves its vector on, so each way has a layer of its own."""
    layers = []
    for _ in range(2):
        torch.manual_seed(0)
        conv = nn.Conv2d(before, after, 3, padding=1)
        layers.append((SpectralNorm(conv) if spectral else conv).double())
    return layers


def agree(one, other, layers, x):
    """Values, gradients by input and weights, and gradients of gradients are equal."""
    found = []
    for way, layer in zip((one, other), layers, strict=True):
        y = way(layer, x)
        own = [x, *layer.parameters()]
        gradients = torch.autograd.grad(y.square().sum(), own, create_graph=True)
        found.append([y, *gradients, *torch.autograd.grad(gradients[0].square().sum(), own, materialize_grads=True)])
    assert all(torch.allclose(a, b, rtol=1e-9, atol=1e-9) for a, b in zip(*found, strict=True))


@pytest.mark.parametrize("spectral", [False, True])
@pytest.mark.parametrize("sides", SIDES)
def test_halving(sides, spectral):
    x = torch.randn(2, 3, *sides, dtype=torch.float64, requires_grad=True)
    agree(convolved_and_halved, lambda layer, x: avg_pool2d(layer(x), 2, ceil_mode=True), pair(spectral), x)


@pytest.mark.parametrize("spectral", [False, True])
@pytest.mark.parametrize("sides", SIDES)
def test_doubling(sides, spectral):
    small = tuple((side + 1) // 2 for side in sides)
    x = torch.randn(2, 3, *small, dtype=torch.float64, requires_grad=True)
    agree(
        lambda layer, x: raised_and_convolved(layer, x, sides),
        lambda layer, x: layer(interpolate(x, sides, mode="nearest")),
        pair(spectral),
        x,
    )
