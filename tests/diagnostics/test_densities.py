"""Divergences and the optimal discriminator of known densities, against independent integrals and closed forms."""

import math

import numpy as np
import pytest
import torch

from zerosum.data.toys.gaussians import Gaussian1D, GaussianMixture1D, Ring
from zerosum.data.toys.shapes import Uniform1D
from zerosum.diagnostics import density_masses, optimal_discriminator
from zerosum.diagnostics.densities import CELLS, Masses, chosen_bandwidth, kernel_masses, leave_one_out, pushed_masses

LINE = (torch.tensor([-12.0], dtype=torch.float64), torch.tensor([12.0], dtype=torch.float64))
PLANE = (torch.full((2,), -4.0, dtype=torch.float64), torch.full((2,), 4.0, dtype=torch.float64))
# Means, standard deviations and weights of pairs of mixtures.
PAIRS = [
    (((4.0,), (0.5,), (1.0,)), ((3.0,), (0.8,), (1.0,))),
    (((-2.0, 0.0, 3.0), (0.4, 0.2, 0.6), (1.0, 1.0, 1.0)), ((-1.0, 1.0), (0.5, 1.0), (0.3, 0.7))),
    (((-5.0,), (0.1,), (1.0,)), ((5.0,), (0.1,), (1.0,))),
]


def mixture(means, stds, weights):
    return GaussianMixture1D(means=means, stds=stds, weights=weights)


def values(x, means, stds, weights):
    """The density of a mixture, written out in numpy."""
    parts = [
        w / sum(weights) / (s * math.sqrt(2 * math.pi)) * np.exp(-0.5 * ((x - m) / s) ** 2)
        for m, s, w in zip(means, stds, weights, strict=True)
    ]
    return np.sum(parts, 0)


def integral(first, second, low, high, n=200_001):
    """The Jensen-Shannon divergence by Simpson's rule, in numpy."""
    x = np.linspace(low, high, n)
    p, q = values(x, *first), values(x, *second)
    with np.errstate(divide="ignore", invalid="ignore"):
        f = 0.5 * (np.where(p > 0, p * np.log(2 * p / (p + q)), 0) + np.where(q > 0, q * np.log(2 * q / (p + q)), 0))
    weights = np.ones(n)
    weights[1:-1:2], weights[2:-1:2] = 4, 2
    return float((weights * f).sum() * (x[1] - x[0]) / 3)


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_the_divergence_of_mixtures_is_their_integral(first, second):
    p, q = (density_masses(mixture(*one).log_density, *LINE) for one in (first, second))
    assert abs(p.js(q) - integral(first, second, -12, 12)) < 1e-6
    assert p.js(q) == q.js(p)


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_the_optimal_discriminator_of_mixtures_is_the_ratio_of_densities(first, second):
    x = np.linspace(-8, 8, 1001)
    p, q = values(x, *first), values(x, *second)
    logs = [mixture(*one).log_density(torch.from_numpy(x)[:, None]) for one in (first, second)]
    found = optimal_discriminator(*logs).numpy()
    seen = p + q > 1e-300
    np.testing.assert_allclose(found[seen], p[seen] / (p[seen] + q[seen]), atol=1e-12)
    assert np.isfinite(found).all(), "also where both densities are below the smallest float"
    masses = [density_masses(mixture(*one).log_density, *LINE) for one in (first, second)]
    middles = (np.arange(2_048) + 0.5) / 2_048 * 24 - 12
    p, q = values(middles, *first), values(middles, *second)
    seen = p + q > 1e-200
    expected = p[seen] / (p[seen] + q[seen])
    np.testing.assert_allclose(masses[0].optimal(masses[1]).numpy()[seen], expected, atol=1e-9)


def test_closed_forms():
    one, same, half, far = (
        density_masses(Uniform1D(low=a, high=a + 1.5).log_density, *LINE) for a in (0.0, 0.0, 0.75, 3.0)
    )
    assert one.js(same) == 0 and abs(one.js(far) - math.log(2)) < 1e-12
    assert abs(one.js(half) - math.log(2) / 2) < 1e-12, "half of each has nothing in common"
    # Equal standard deviations: D* is the sigmoid of a linear function.
    x = torch.linspace(-30, 40, 71)[:, None]
    p, q = (Gaussian1D(mean=mean, std=0.5).log_density(x) for mean in (4.0, 3.0))
    line = (4.0 - 3.0) / 0.25 * (x[:, 0].double() - 3.5)
    torch.testing.assert_close(optimal_discriminator(p, q), torch.sigmoid(line), atol=1e-12, rtol=0)
    # The value of the game at D* is 2 JS - log 4 (theorem 1 of 2014).
    p, q = (density_masses(Gaussian1D(mean=mean, std=0.5).log_density, *LINE) for mean in (4.0, 3.0))
    d = p.optimal(q).clamp(1e-300, 1)
    value = (p.inside * d.log() + q.inside * torch.log1p(-d).clamp_min(-700)).nansum()
    assert abs(float(value) - (2 * p.js(q) - math.log(4))) < 1e-9


def test_the_limits_where_densities_are_zero():
    zero, one = torch.tensor([-math.inf]), torch.tensor([0.0])
    assert optimal_discriminator(one, zero).item() == 1 and optimal_discriminator(zero, one).item() == 0
    assert math.isnan(optimal_discriminator(zero, zero).item())
    assert optimal_discriminator(one - 1e6, one - 2e6).item() == 1
    for bad in (math.nan, math.inf):
        with pytest.raises(ValueError, match="q is nan or infinite"):
            optimal_discriminator(one, torch.tensor([bad]))
    with pytest.raises(ValueError, match="nan or infinite at some points"):
        density_masses(lambda x: x[:, 0] * math.nan, *LINE)
    with pytest.raises(ValueError, match=r"in cells of 2048 by direction this one has"):
        density_masses(Gaussian1D(mean=12 / 2_048, std=1e-4).log_density, *LINE)


def test_what_lies_outside_counts_as_one_cell():
    inside = density_masses(Gaussian1D(mean=0.0).log_density, *LINE)
    away = kernel_masses(torch.full((10, 1), 99.0), *LINE, bandwidth=0.1)
    assert away.outside == 1 and abs(inside.js(away) - math.log(2)) < 1e-9
    assert math.isnan(away.optimal(away).min()) and away.at(torch.tensor([[99.0], [0.0]])).tolist() == [0, 0]
    with pytest.raises(ValueError, match="some of these are nan"):
        kernel_masses(torch.tensor([[math.nan]]), *LINE, bandwidth=0.1)
    with pytest.raises(ValueError, match="on the same cells"):
        inside.js(inside.coarser(2))
    with pytest.raises(ValueError, match="on the same cells"):
        inside.js(Masses(inside.low, 2 * inside.high, inside.inside))
    assert torch.equal(inside.coarser(2).inside, inside.inside.reshape(-1, 2).sum(1))
    huge = kernel_masses(torch.tensor([[math.inf], [0.0]]), *LINE, bandwidth=0.0)
    assert huge.outside == 0.5


def test_blurring_a_mixture_widens_its_gaussians():
    narrow, wide = (density_masses(Ring(modes=3, std=std).log_density, *PLANE) for std in (0.3, 0.5))
    assert abs(narrow.blurred(0.4).inside - wide.inside).max() < 1e-9 * float(wide.inside.max()) + 1e-12
    assert narrow.blurred(0.4).blur == 0.4 and narrow.blurred(0.0) is narrow
    x = torch.tensor([[2.0, 0.0], [0.1, -1.0], [9.0, 0.0]], dtype=torch.float64)
    expected = Ring(modes=3, std=0.5).log_density(x).exp()
    torch.testing.assert_close(wide.at(x)[:2], expected[:2], rtol=0.05, atol=0)
    assert wide.at(x)[2] == 0


def test_kernel_estimates_against_sums_over_points():
    points = torch.randn(60, 2, generator=torch.Generator().manual_seed(0)).double()
    bandwidth = 0.2
    masses = kernel_masses(points, *PLANE, bandwidth)
    apart = torch.cdist(points, points).square()
    kernel = torch.exp(-apart / (2 * bandwidth**2)) / (2 * math.pi * bandwidth**2)
    torch.testing.assert_close(masses.at(points), kernel.mean(1), rtol=0.03, atol=0)
    others = (kernel.sum(1) - kernel.diagonal()) / 59
    torch.testing.assert_close(leave_one_out(masses, points), others, rtol=0.05, atol=2e-3)
    assert 1 - 1e-4 < float(masses.inside.sum()) <= 1, "but for what is blurred beyond the window"


def test_the_bandwidth_follows_the_scale_of_the_data(monkeypatch):
    monkeypatch.setitem(CELLS, 2, 400)
    ring = Ring(std=0.02).open().read(torch.arange(2_000))
    wide = Ring(std=0.4).open().read(torch.arange(2_000))
    narrow, broad = (chosen_bandwidth(points, *PLANE) for points in (ring, wide))
    assert narrow <= 0.02 < 0.08 < broad < 0.4


def test_the_change_of_variables():
    u = (torch.arange(2_048, dtype=torch.float64) + 0.5) / 2_048
    line = pushed_masses(3 * u[:, None] - 1, *LINE)
    expected = density_masses(Uniform1D(low=-1.0, high=2.0).log_density, *LINE)
    # The two ends of a latent are not seen: half of 1/2048 each.
    assert line.js(expected) < 1e-3 and abs(float(line.inside.sum()) - 1) < 1e-12
    folded = pushed_masses((2 * u - 1).abs()[:, None], *LINE)
    # The interval ends within a cell, of which it has 85 and a third.
    assert folded.js(density_masses(Uniform1D(low=0.0, high=1.0).log_density, *LINE)) < 4e-3
    normal = pushed_masses(4 + 0.5 * torch.special.ndtri(u)[:, None], *LINE)
    assert normal.js(density_masses(Gaussian1D().log_density, *LINE)) < 1e-3
    point = pushed_masses(torch.full((2_048, 1), 1.0), *LINE)
    assert abs(float(point.inside.max()) - 1) < 1e-12 and int((point.inside > 0).sum()) == 1
    beyond = pushed_masses(torch.linspace(-24, 24, 2_048)[:, None], *LINE)
    assert abs(beyond.outside - 0.5) < 1e-3


def test_masses_know_their_density():
    masses = Masses(*PLANE, torch.full((4, 4), 1 / 16, dtype=torch.float64))
    assert masses.density.unique().tolist() == [1 / 64] and masses.cell.tolist() == [2, 2] and masses.outside == 0
