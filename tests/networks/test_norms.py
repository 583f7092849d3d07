"""Norms by name, against numpy."""

import numpy as np
import pytest
import torch

from zerosum.networks import DCGANDiscriminator, DCGANGenerator
from zerosum.networks.layers.basic import norm1d, norm2d


def learnt(norm):
    """The norm with scales and offsets other than those it begins with, and these in float64."""
    for parameter in norm.parameters():
        torch.nn.init.normal_(parameter)
    return norm, *(p.detach().double().numpy() for p in norm.parameters())


@pytest.mark.parametrize(("name", "axes"), [("batch", (0, 2, 3)), ("layer", (1, 2, 3)), ("instance", (2, 3))])
def test_maps_are_normed_over_their_axes_and_scaled_by_channel(name, axes):
    norm, scale, offset = learnt(norm2d(name, 3))
    h = 3 + 2 * torch.randn(4, 3, 5, 2)
    x = h.double().numpy()
    normed = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + 1e-5)
    wanted = normed * scale[:, None, None] + offset[:, None, None]
    np.testing.assert_allclose(norm(h).detach(), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("name", "axis"), [("batch", 0), ("layer", 1)])
def test_vectors_are_normed_over_the_same_axes(name, axis):
    norm, scale, offset = learnt(norm1d(name, 6))
    h = 3 + 2 * torch.randn(4, 6)
    x = h.double().numpy()
    wanted = (x - x.mean(axis, keepdims=True)) / np.sqrt(x.var(axis, keepdims=True) + 1e-5) * scale + offset
    np.testing.assert_allclose(norm(h).detach(), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["layer", "instance", "spectral", "none"])
def test_samples_stay_apart(name):
    D = DCGANDiscriminator(size=4, norm=name).build((1, 12, 9), None).eval()
    G = DCGANGenerator(size=4, norm=name).build(5, (1, 12, 9), None).eval()
    x, z = torch.randn(4, 1, 12, 9), torch.randn(4, 5)
    torch.testing.assert_close(D(x).score, torch.cat([D(row).score for row in x.split(1)]))
    torch.testing.assert_close(G(z), torch.cat([G(row) for row in z.split(1)]))
