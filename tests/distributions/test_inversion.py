import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import zerosum.data
from zerosum.distributions._integration import cdf_of
from zerosum.distributions.continuous import CauchyDistribution, ExponentialDistribution, NormalDistribution
from zerosum.distributions.discrete import StepsDistribution
from zerosum.distributions.inversion import inverse_of, inverse_transform, open_uniform
from zerosum.distributions.skewed import MixtureDistribution

LINE = (-math.inf, math.inf)


def plateau(x):
    """A CDF that rises from 0 to 1/2 over (-2, -1), stays level, jumps to 3/4 at 1 and rises to 1 at 2."""
    return torch.where(x < 1, (0.5 * (x + 2)).clamp(0, 0.5), (0.75 + 0.25 * (x - 1)).clamp(max=1))


def test_the_room_offers_the_function():
    assert zerosum.distributions.inverse_transform is inverse_transform


def test_uniform_numbers_are_inside_and_even():
    u = open_uniform(100_000, seed=0)
    assert u.dtype == torch.float64
    assert ((u > 0) & (u < 1)).all()
    assert torch.equal(u * 2**53 % 2, torch.ones_like(u))
    gap = np.abs(u.sort().values.numpy() - (np.arange(100_000) + 0.5) / 100_000).max()
    assert gap < 1.628 / math.sqrt(100_000)


def test_samples_follow_from_the_seed_alone():
    distribution = NormalDistribution()
    first = inverse_transform(50, cdf=distribution.cdf, seed=3)
    assert torch.equal(first, inverse_transform(50, cdf=distribution.cdf, seed=3))
    assert not torch.equal(first, inverse_transform(50, cdf=distribution.cdf, seed=4))


@pytest.mark.parametrize(
    "distribution",
    [NormalDistribution(5.0, 0.01), CauchyDistribution(), ExponentialDistribution(1e-6), MixtureDistribution()],
)
def test_all_three_routes_are_one_map(distribution):
    exact = inverse_transform(500, inverse_cdf=distribution.inverse_cdf)
    inverted = inverse_transform(500, cdf=distribution.cdf, support=distribution.support)
    integrated = inverse_transform(500, density=lambda x: 7 * distribution.density(x), support=distribution.support)
    assert np.allclose(inverted, exact, rtol=1e-11, atol=1e-11)
    assert np.allclose(integrated, exact, rtol=1e-8, atol=1e-10)


@settings(max_examples=60, deadline=None)
@given(
    st.floats(1e-12, 1 - 1e-12),
    st.sampled_from(
        [
            (plateau, LINE),
            (plateau, (-2.0, 2.0)),
            (NormalDistribution().cdf, LINE),
            (StepsDistribution().cdf, (-1.0, 2.0)),
        ]
    ),
)
def test_inverse_is_the_least_number_that_reaches_u(u, case):
    cdf, support = case
    x = inverse_of(cdf, support)(torch.tensor([u], dtype=torch.float64))
    assert cdf(x) >= u
    before = torch.tensor([math.nextafter(float(x), -math.inf)], dtype=torch.float64)
    assert cdf(before) < u


def test_inverse_jumps_over_a_plateau_and_stays_at_a_jump():
    u = torch.tensor([0.25, 0.5, 0.5 + 1e-9, 0.6, 0.75, 0.875], dtype=torch.float64)
    assert inverse_of(plateau)(u).tolist() == pytest.approx([-1.5, -1.0, 1.0, 1.0, 1.0, 1.5], rel=1e-14)
    atom = inverse_of(lambda x: 0.5 + 0.5 * x, (0.0, 1.0))
    assert atom(torch.tensor([0.2, 0.5, 0.75], dtype=torch.float64)).tolist() == pytest.approx(
        [0, 0, 0.5], rel=1e-14, abs=0
    )


def test_inverse_finds_values_of_any_magnitude():
    for scale in (1e-290, 1e-9, 1e9, 1e290):
        x = inverse_of(lambda x, scale=scale: ExponentialDistribution().cdf(x / scale), (0.0, math.inf))(
            torch.tensor([0.5]).double()
        )
        assert float(x) / scale == pytest.approx(math.log(2), rel=1e-14)


def test_inverse_bears_a_cdf_that_just_misses_its_ends():
    short = inverse_of(lambda x: 1e-8 + (1 - 2e-8) * NormalDistribution().cdf(x))
    x = short(torch.tensor([1e-12, 0.5, 1 - 1e-12], dtype=torch.float64))
    assert x.isfinite().all()
    assert x[0] < -5 < 5 < x[2]


@pytest.mark.parametrize(
    ("density", "support", "points"),
    [
        (lambda x: torch.exp(-x), (0.0, math.inf), {0.1: 1 - math.exp(-0.1), 30.0: 1 - math.exp(-30)}),
        (lambda x: torch.exp(x), (-math.inf, 0.0), {-0.1: math.exp(-0.1), -20.0: math.exp(-20)}),
        (lambda x: x**2, (0.0, 3.0), {1.0: 1 / 27, 2.0: 8 / 27}),
        (lambda x: x**-0.5, (0.0, 4.0), {1e-8: 0.5e-4, 1.0: 0.5}),
        (lambda x: (1 - x) ** -0.5, (0.0, 1.0), {0.75: 0.5, 0.9999: 0.99}),
        (lambda x: 1 / (x * (1 - x)).sqrt(), (0.0, 1.0), {0.25: 1 / 3, 0.5: 0.5}),
        (lambda x: x**-1.5, (1.0, math.inf), {4.0: 0.5, 1e6: 0.999}),
        (lambda x: (x > 0.3) & (x < 0.4), (0.0, 1.0), {0.3: 0.0, 0.325: 0.25, 0.4: 1.0}),
        (lambda x: torch.exp(-(((x - 1000) / 0.5) ** 2)), LINE, {1000.0: 0.5}),
        (lambda x: torch.exp(-((x / 1e-9) ** 2)), LINE, {0.0: 0.5}),
    ],
)
def test_density_of_any_scale_is_integrated(density, support, points):
    cdf, (low, high) = cdf_of(density, support)
    x = torch.tensor(list(points), dtype=torch.float64)
    assert np.allclose(cdf(x), list(points.values()), rtol=0, atol=2e-8)
    assert cdf(torch.tensor([low, high, -1e300, 1e300], dtype=torch.float64)).tolist() == [0, 1, 0, 1]
    assert (cdf(torch.linspace(max(low, -9), min(high, 9), 10_001, dtype=torch.float64)).diff() >= -1e-15).all()


def test_functions_of_numpy_serve_too():
    x = inverse_transform(20, cdf=lambda x: 1 - np.exp(-x.numpy().clip(0)), support=(0, math.inf))
    assert np.allclose(x, ExponentialDistribution().inverse_cdf(open_uniform(20, 0)), rtol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "give one of inverse_cdf, cdf and density, not 0 of them"),
        ({"cdf": plateau, "density": plateau}, "give one of inverse_cdf, cdf and density, not 2 of them"),
        ({"n": 0, "cdf": plateau}, "n should be at least 1, but is 0"),
        (
            {"cdf": plateau, "support": (1.0, 1.0)},
            r"support should be \(low, high\) with low < high, but is \(1.0, 1.0\)",
        ),
        ({"cdf": plateau, "support": (math.nan, 1.0)}, "support should be"),
        ({"density": plateau, "support": (2.0, 1.0)}, "support should be"),
        ({"inverse_cdf": torch.exp, "support": (2.0, 1.0)}, "support should be"),
        ({"inverse_cdf": lambda u: 0.5}, r"the inverse CDF should return \(9,\) values for \(9,\), not \(\)"),
        ({"inverse_cdf": lambda u: (u - 0.5).log()}, "the inverse CDF is nan at x = 0.[0-4]"),
        (
            {"inverse_cdf": lambda u: torch.full_like(u, -math.inf)},
            r"the inverse CDF is -inf at u = .*, outside \(-inf, inf\)",
        ),
        ({"inverse_cdf": lambda u: 3 * u, "support": (0, 1)}, r"inverse CDF is [1-2].* at u = 0.*, outside \(0, 1\)"),
        ({"cdf": lambda x: 1 - plateau(x)}, r"should rise to 1 at the upper end of its support, but is 0 at x = "),
        ({"cdf": lambda x: 0.9 * plateau(x)}, "should rise to 1 at the upper end .*, but is 0.9 at x = "),
        ({"cdf": plateau, "support": (-2.0, 1.5)}, "should rise to 1 at the upper end .*, but is 0.875 at x = 1.5"),
        ({"cdf": lambda x: 0.5 + plateau(x) / 2}, "CDF should start from 0 at the lower end .*, but is 0.5 at x = -"),
        ({"cdf": lambda x: 2 * plateau(x)}, "the CDF should lie in 0..1, but is "),
        (
            {"cdf": lambda x: plateau(x) - 0.1 * (x > 0) * (x < 1)},
            "the CDF should never fall, but is 0.5 at x = .* and 0.4",
        ),
        ({"cdf": lambda x: torch.exp(x) / (1 + torch.exp(x - 900)), "support": (-1e4, 1e4)}, "the CDF is nan at x = "),
        (
            {"density": lambda x: -x.exp(), "support": (0, 1)},
            "should be finite and never negative, but is -[1-2].* at x =",
        ),
        ({"density": lambda x: 1 / (x - 0.5).relu(), "support": (0, 1)}, "should be finite and .* but is inf at x ="),
        ({"density": lambda x: (x - 0.5).sqrt(), "support": (0, 1)}, "the density is nan at x = .*: give it a support"),
        (
            {"density": lambda x: 0 * x},
            "the density is 0 wherever it was evaluated: give it the support where it is not",
        ),
        (
            {"density": lambda x: 1 / x, "support": (0, 1)},
            "has no finite integral near x = .*, or changes too fast there",
        ),
        (
            {"density": lambda x: 1 / x, "support": (1, math.inf)},
            "has no finite integral, as its tail falls off too slo",
        ),
        ({"density": lambda x: 1 + 0 * x}, "has no finite integral, as its tail falls off too slowly"),
    ],
)
def test_functions_that_are_none_of_their_kind_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        inverse_transform(**{"n": 9, **arguments})
