"""The densities of toys, against formulas written out in numpy, and against their own points."""

import math

import numpy as np
import pytest
import torch

from zerosum.data.toys.distribution_points import DistributionSamples
from zerosum.data.toys.gaussians import Gaussian1D, GaussianMixture, GaussianMixture1D, Grid, Ring
from zerosum.data.toys.shapes import Checkerboard, Circles, Moons, Uniform1D
from zerosum.distributions.discrete import BernoulliDistribution
from zerosum.protocols import HasDensity

KNOWN = [
    Gaussian1D(),
    GaussianMixture1D(weights=(1.0, 2.0, 1.0)),
    Uniform1D(),
    DistributionSamples(),
    Ring(std=0.3),
    Grid(side=2, std=0.3),
    GaussianMixture(dimensions=2, radius=2.0, std=0.3),
    Circles(noise=0.15),
    Checkerboard(side=3, cell=0.75),
]


@pytest.mark.parametrize("source", KNOWN, ids=lambda source: type(source).__name__)
def test_a_density_agrees_with_the_points(source):
    points = source.open().read(torch.arange(50_000)).double()
    d, n, parts = points.shape[1], 24, 64 // 8 ** (points.shape[1] - 1)
    assert isinstance(source, HasDensity)
    line = (torch.arange(n * parts, dtype=torch.float64) + 0.5) / parts / 2 - 6
    places = torch.cartesian_prod(*[line] * d).reshape(-1, d)
    cells = source.log_density(places).exp().reshape((n, parts) * d)
    mass = cells.mean([*range(1, 2 * d, 2)]) * 0.5**d
    edges = np.linspace(-6, 6, n + 1)
    counts = torch.from_numpy(np.histogramdd(points.numpy(), bins=[edges] * d)[0])
    assert abs(float(mass.sum()) - 1) < 0.01
    error = (counts / 50_000 - mass).abs() - 5 * (mass / 50_000).sqrt()
    assert float(error.max()) < 5e-4


def test_mixtures_are_as_written_out():
    x = np.random.default_rng(0).normal(size=(50, 2)) * 2
    ring = Ring(std=0.3)
    angles = np.arange(8) * 2 * math.pi / 8
    centres = 2 * np.stack([np.cos(angles), np.sin(angles)], 1)
    squares = ((x[:, None] - centres[None]) ** 2).sum(2)
    density = np.exp(-squares / (2 * 0.09)).mean(1) / (2 * math.pi * 0.09)
    np.testing.assert_allclose(ring.log_density(torch.from_numpy(x)).exp().numpy(), density, rtol=1e-5)
    far = ring.log_density(torch.tensor([[1e3, 0.0]]))
    expected = -(998.0**2) / 0.18 - math.log(8 * 2 * math.pi * 0.09)
    assert abs(float(far) / expected - 1) < 1e-9, "where the density is below the smallest float"


def test_a_density_is_zero_where_no_point_is():
    assert Uniform1D().log_density(torch.tensor([[1.5], [-1.5]])).tolist() == [-math.inf] * 2
    assert Checkerboard().log_density(torch.tensor([[-0.5, 0.5], [9.0, 9.0]])).tolist() == [-math.inf] * 2
    assert DistributionSamples().log_density(torch.tensor([[-1.0]])).item() == -math.inf


def test_what_has_no_density_says_so():
    for source in (Ring(std=0.0), Grid(std=0.0), Circles(noise=0.0)):
        with pytest.raises(ValueError, match="standard deviation of 0 have no density"):
            source.log_density(torch.zeros(1, 2))
    with pytest.raises(ValueError, match="BernoulliDistribution has no density"):
        DistributionSamples(distribution=BernoulliDistribution()).log_density(torch.zeros(1, 1))
    assert not isinstance(Moons(), HasDensity)
