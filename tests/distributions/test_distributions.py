import math

import numpy as np
import pytest
import torch

from zerosum.data.toys.distribution_points import DistributionSamples
from zerosum.distributions.continuous import (
    CauchyDistribution,
    ExponentialDistribution,
    LaplaceDistribution,
    LogisticDistribution,
    NormalDistribution,
    UniformDistribution,
)
from zerosum.distributions.discrete import BernoulliDistribution, PoissonDistribution, StepsDistribution
from zerosum.distributions.inversion import inverse_transform
from zerosum.distributions.skewed import (
    KumaraswamyDistribution,
    MixtureDistribution,
    ParetoDistribution,
    TriangularDistribution,
)


def phi(z):
    return 0.5 * math.erfc(-z / math.sqrt(2))


def triangle(x):
    """The area under a triangle from -1 over 2 (its peak) to 3, up to x, cut off by hand."""
    return (x + 1) ** 2 / 12 if x < 2 else 1 - (3 - x) ** 2 / 4


def poisson(x, rate=4.0):
    return sum(math.exp(-rate) * rate**k / math.factorial(k) for k in range(math.floor(x) + 1))


# Each distribution with an independent formula of its CDF, for x within its support.
CONTINUOUS = [
    (NormalDistribution(mean=3.0, std=0.5), lambda x: phi((x - 3) / 0.5)),
    (UniformDistribution(low=-2.0, high=6.0), lambda x: (x + 2) / 8),
    (ExponentialDistribution(rate=0.2), lambda x: 1 - math.exp(-x / 5)),
    (CauchyDistribution(centre=-1.0, scale=2.0), lambda x: math.atan2(x + 1, 2) / math.pi + 0.5),
    (LogisticDistribution(centre=1.0, scale=3.0), lambda x: 0.5 + 0.5 * math.tanh((x - 1) / 6)),
    (
        LaplaceDistribution(centre=2.0, scale=0.1),
        lambda x: 0.5 * math.exp(10 * x - 20) if x < 2 else 1 - 0.5 * math.exp(20 - 10 * x),
    ),
    (ParetoDistribution(shape=0.8, scale=2.0), lambda x: 1 - math.exp(0.8 * math.log(2 / x))),
    (KumaraswamyDistribution(a=0.5, b=0.5), lambda x: 1 - math.sqrt(1 - math.sqrt(x))),
    (TriangularDistribution(low=-1.0, peak=2.0, high=3.0), triangle),
    (
        MixtureDistribution(means=(-3.0, 1.0), stds=(0.2, 1.0), weights=(1.0, 3.0)),
        lambda x: phi(5 * x + 15) / 4 + phi(x - 1) * 3 / 4,
    ),
]
DISCRETE = [
    (BernoulliDistribution(p=0.3), lambda x: 0.7 if x < 1 else 1.0),
    (
        StepsDistribution(values=(-1.0, 0.5, 7.0), weights=(2.0, 1.0, 1.0)),
        lambda x: 0.5 if x < 0.5 else 0.75 if x < 7 else 1.0,
    ),
    (PoissonDistribution(rate=4.0), poisson),
]
ROUTES = [(distribution, F, route) for distribution, F in CONTINUOUS for route in ("inverse_cdf", "cdf", "density")]
ROUTES += [(distribution, F, route) for distribution, F in DISCRETE for route in ("inverse_cdf", "cdf")]


def kolmogorov_smirnov(x, F, support):
    """The greatest distance of the samples' empirical CDF from F, on both sides of each step."""
    values, counts = np.unique(x, return_counts=True)
    upto = counts.cumsum() / len(x)
    at = np.array([F(value) for value in values])
    before = np.array([F(value) if value > support[0] else 0.0 for value in np.nextafter(values, -np.inf)])
    return max(np.abs(upto - at).max(), np.abs(upto - counts / len(x) - before).max())


@pytest.mark.parametrize(
    ("distribution", "F", "route"),
    ROUTES,
    ids=[f"{type(distribution).__name__}-{route}" for distribution, _, route in ROUTES],
)
def test_samples_pass_the_kolmogorov_smirnov_test(distribution, F, route):
    n = 4_000
    x = inverse_transform(n, **{route: getattr(distribution, route)}, support=distribution.support, seed=1)
    assert (x.dtype, x.shape) == (torch.float64, (n,))
    assert kolmogorov_smirnov(x.numpy(), F, distribution.support) < 1.628 / math.sqrt(n)


def test_the_statistic_would_see_another_distribution():
    x = inverse_transform(4_000, inverse_cdf=NormalDistribution(std=1.1).inverse_cdf).numpy()
    assert kolmogorov_smirnov(x, phi, (-math.inf, math.inf)) > 1.628 / math.sqrt(4_000)
    x = inverse_transform(4_000, inverse_cdf=BernoulliDistribution(p=0.35).inverse_cdf).numpy()
    assert kolmogorov_smirnov(x, lambda x: 0.7 if x < 1 else 1.0, (0, 1)) > 1.628 / math.sqrt(4_000)


@pytest.mark.parametrize(("distribution", "F"), CONTINUOUS + DISCRETE, ids=lambda part: type(part).__name__)
def test_cdf_is_the_formula_and_inverse_cdf_its_inverse(distribution, F):
    u = (torch.arange(99, dtype=torch.float64) + 1) / 100.5
    x = distribution.inverse_cdf(u)
    assert x.dtype == torch.float64
    assert np.allclose(distribution.cdf(x), [F(float(value)) for value in x], rtol=1e-9, atol=1e-12)
    reached = distribution.cdf(x + 1e-9 * x.abs()) >= u - 1e-12
    assert reached.all()
    assert (distribution.cdf(x - 1e-6 * (1 + x.abs())) < u).all()
    low, high = distribution.support
    outside = torch.tensor([low - 1 if math.isfinite(low) else -1e300, high + 1 if math.isfinite(high) else 1e300])
    assert distribution.cdf(outside.double()).tolist() == pytest.approx([0, 1], abs=1e-12)


@pytest.mark.parametrize(("distribution", "F"), CONTINUOUS, ids=lambda part: type(part).__name__)
def test_density_is_the_derivative_of_the_formula(distribution, F):
    x = distribution.inverse_cdf((torch.arange(19, dtype=torch.float64) + 1) / 20.1)
    step = 1e-5
    gradient = [(F(value + step) - F(value - step)) / (2 * step) for value in x.tolist()]
    assert np.allclose(distribution.density(x), gradient, rtol=1e-4)
    low, high = distribution.support
    outside = [end + side for end, side in ((low, -1.0), (high, 1.0)) if math.isfinite(end)]
    assert distribution.density(torch.tensor(outside, dtype=torch.float64)).tolist() == [0.0] * len(outside)


def test_a_distribution_is_a_data_source():
    source = DistributionSamples(distribution=ParetoDistribution(shape=3.0), count=3_000, seed=2)
    data = source.open()
    x = data.read(torch.arange(3_000))
    assert (data.name, data.shape, x.dtype) == ("ParetoDistribution", (1,), torch.float32)
    assert kolmogorov_smirnov(x[:, 0].double().numpy(), lambda x: 1 - x**-3, (1, math.inf)) < 1.628 / math.sqrt(3_000)
    assert eval(repr(source)) == source
    assert torch.equal(x, source.open().read(torch.arange(3_000)))


@pytest.mark.parametrize(
    ("make", "needs"),
    [
        (
            lambda: NormalDistribution(std=0.0),
            r"NormalDistribution needs std > 0, but was given NormalDistribution\(mean=0.0, std=0.0\)",
        ),
        (lambda: UniformDistribution(low=1.0), "UniformDistribution needs low < high"),
        (lambda: ExponentialDistribution(rate=0.0), "ExponentialDistribution needs rate > 0"),
        (lambda: CauchyDistribution(scale=0.0), "CauchyDistribution needs scale > 0"),
        (lambda: LogisticDistribution(scale=math.nan), "LogisticDistribution needs scale > 0"),
        (lambda: LaplaceDistribution(scale=0.0), "LaplaceDistribution needs scale > 0"),
        (lambda: ParetoDistribution(shape=0.0), "ParetoDistribution needs shape > 0 and scale > 0"),
        (lambda: KumaraswamyDistribution(b=0.0), "KumaraswamyDistribution needs a > 0 and b > 0"),
        (lambda: TriangularDistribution(peak=2.0), "TriangularDistribution needs low < peak < high"),
        (lambda: MixtureDistribution(means=(1.0,)), "MixtureDistribution needs as many means as stds, at least one"),
        (lambda: MixtureDistribution(weights=(1.0,)), "MixtureDistribution needs as many weights as means, or none"),
        (lambda: MixtureDistribution(stds=(1.0, 0.0)), "MixtureDistribution needs every std > 0"),
        (lambda: MixtureDistribution(weights=(1.0, 0.0)), "MixtureDistribution needs every weight > 0"),
        (lambda: BernoulliDistribution(p=1.0), "BernoulliDistribution needs 0 < p < 1"),
        (lambda: StepsDistribution(values=(1.0, 0.0)), "StepsDistribution needs at least two values, in rising order"),
        (lambda: StepsDistribution(weights=(1.0,)), "StepsDistribution needs as many weights as values, or none"),
        (lambda: StepsDistribution(weights=(1.0, 1.0, 0.0)), "StepsDistribution needs every weight > 0"),
        (lambda: PoissonDistribution(rate=0.0), "PoissonDistribution needs rate > 0"),
        (lambda: DistributionSamples(count=0), "DistributionSamples needs count >= 1"),
    ],
)
def test_numbers_that_make_no_distribution_are_refused(make, needs):
    with pytest.raises(ValueError, match=needs):
        make()
