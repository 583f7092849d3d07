import math

import numpy as np
import pytest
import torch

from zerosum.data.toys.distribution_points import Law
from zerosum.distributions.continuous import CauchyLaw, ExponentialLaw, LaplaceLaw, LogisticLaw, NormalLaw, UniformLaw
from zerosum.distributions.discrete import BernoulliLaw, PoissonLaw, StepsLaw
from zerosum.distributions.inversion import inverse_transform
from zerosum.distributions.skewed import KumaraswamyLaw, MixtureLaw, ParetoLaw, TriangularLaw


def phi(z):
    return 0.5 * math.erfc(-z / math.sqrt(2))


def triangle(x):
    """The area under a triangle from -1 over 2 (its peak) to 3, up to x, cut off by hand."""
    return (x + 1) ** 2 / 12 if x < 2 else 1 - (3 - x) ** 2 / 4


def poisson(x, rate=4.0):
    return sum(math.exp(-rate) * rate**k / math.factorial(k) for k in range(math.floor(x) + 1))


# Each law with its distribution function, written once more, for x within its support.
CONTINUOUS = [
    (NormalLaw(mean=3.0, std=0.5), lambda x: phi((x - 3) / 0.5)),
    (UniformLaw(low=-2.0, high=6.0), lambda x: (x + 2) / 8),
    (ExponentialLaw(rate=0.2), lambda x: 1 - math.exp(-x / 5)),
    (CauchyLaw(centre=-1.0, scale=2.0), lambda x: math.atan2(x + 1, 2) / math.pi + 0.5),
    (LogisticLaw(centre=1.0, scale=3.0), lambda x: 0.5 + 0.5 * math.tanh((x - 1) / 6)),
    (
        LaplaceLaw(centre=2.0, scale=0.1),
        lambda x: 0.5 * math.exp(10 * x - 20) if x < 2 else 1 - 0.5 * math.exp(20 - 10 * x),
    ),
    (ParetoLaw(shape=0.8, scale=2.0), lambda x: 1 - math.exp(0.8 * math.log(2 / x))),
    (KumaraswamyLaw(a=0.5, b=0.5), lambda x: 1 - math.sqrt(1 - math.sqrt(x))),
    (TriangularLaw(low=-1.0, peak=2.0, high=3.0), triangle),
    (
        MixtureLaw(means=(-3.0, 1.0), stds=(0.2, 1.0), weights=(1.0, 3.0)),
        lambda x: phi(5 * x + 15) / 4 + phi(x - 1) * 3 / 4,
    ),
]
DISCRETE = [
    (BernoulliLaw(p=0.3), lambda x: 0.7 if x < 1 else 1.0),
    (StepsLaw(values=(-1.0, 0.5, 7.0), weights=(2.0, 1.0, 1.0)), lambda x: 0.5 if x < 0.5 else 0.75 if x < 7 else 1.0),
    (PoissonLaw(rate=4.0), poisson),
]
ROUTES = [(law, F, route) for law, F in CONTINUOUS for route in ("inverse_cdf", "cdf", "density")]
ROUTES += [(law, F, route) for law, F in DISCRETE for route in ("inverse_cdf", "cdf")]


def kolmogorov_smirnov(x, F, support):
    """The greatest distance of the samples' distribution function from F, on both sides of each step."""
    values, counts = np.unique(x, return_counts=True)
    upto = counts.cumsum() / len(x)
    at = np.array([F(value) for value in values])
    before = np.array([F(value) if value > support[0] else 0.0 for value in np.nextafter(values, -np.inf)])
    return max(np.abs(upto - at).max(), np.abs(upto - counts / len(x) - before).max())


@pytest.mark.parametrize(
    ("law", "F", "route"), ROUTES, ids=[f"{type(law).__name__}-{route}" for law, _, route in ROUTES]
)
def test_samples_pass_the_kolmogorov_smirnov_test(law, F, route):
    n = 4_000
    x = inverse_transform(n, **{route: getattr(law, route)}, support=law.support, seed=1)
    assert (x.dtype, x.shape) == (torch.float64, (n,))
    assert kolmogorov_smirnov(x.numpy(), F, law.support) < 1.628 / math.sqrt(n)


def test_the_statistic_would_see_another_law():
    x = inverse_transform(4_000, inverse_cdf=NormalLaw(std=1.1).inverse_cdf).numpy()
    assert kolmogorov_smirnov(x, phi, (-math.inf, math.inf)) > 1.628 / math.sqrt(4_000)
    x = inverse_transform(4_000, inverse_cdf=BernoulliLaw(p=0.35).inverse_cdf).numpy()
    assert kolmogorov_smirnov(x, lambda x: 0.7 if x < 1 else 1.0, (0, 1)) > 1.628 / math.sqrt(4_000)


@pytest.mark.parametrize(("law", "F"), CONTINUOUS + DISCRETE, ids=lambda part: type(part).__name__)
def test_cdf_is_the_formula_and_inverse_cdf_its_inverse(law, F):
    u = (torch.arange(99, dtype=torch.float64) + 1) / 100.5
    x = law.inverse_cdf(u)
    assert x.dtype == torch.float64
    assert np.allclose(law.cdf(x), [F(float(value)) for value in x], rtol=1e-9, atol=1e-12)
    reached = law.cdf(x + 1e-9 * x.abs()) >= u - 1e-12
    assert reached.all()
    assert (law.cdf(x - 1e-6 * (1 + x.abs())) < u).all()
    low, high = law.support
    outside = torch.tensor([low - 1 if math.isfinite(low) else -1e300, high + 1 if math.isfinite(high) else 1e300])
    assert law.cdf(outside.double()).tolist() == pytest.approx([0, 1], abs=1e-12)


@pytest.mark.parametrize(("law", "F"), CONTINUOUS, ids=lambda part: type(part).__name__)
def test_density_is_the_slope_of_the_formula(law, F):
    x = law.inverse_cdf((torch.arange(19, dtype=torch.float64) + 1) / 20.1)
    step = 1e-5
    slope = [(F(value + step) - F(value - step)) / (2 * step) for value in x.tolist()]
    assert np.allclose(law.density(x), slope, rtol=1e-4)
    low, high = law.support
    outside = [end + side for end, side in ((low, -1.0), (high, 1.0)) if math.isfinite(end)]
    assert law.density(torch.tensor(outside, dtype=torch.float64)).tolist() == [0.0] * len(outside)


def test_law_is_a_source_of_its_points():
    source = Law(law=ParetoLaw(shape=3.0), count=3_000, seed=2)
    data = source.open()
    x = data.read(torch.arange(3_000))
    assert (data.name, data.shape, x.dtype) == ("ParetoLaw", (1,), torch.float32)
    assert kolmogorov_smirnov(x[:, 0].double().numpy(), lambda x: 1 - x**-3, (1, math.inf)) < 1.628 / math.sqrt(3_000)
    assert eval(repr(source)) == source
    assert torch.equal(x, source.open().read(torch.arange(3_000)))


@pytest.mark.parametrize(
    ("make", "needs"),
    [
        (lambda: NormalLaw(std=0.0), r"NormalLaw needs std > 0, but was given NormalLaw\(mean=0.0, std=0.0\)"),
        (lambda: UniformLaw(low=1.0), "UniformLaw needs low < high"),
        (lambda: ExponentialLaw(rate=0.0), "ExponentialLaw needs rate > 0"),
        (lambda: CauchyLaw(scale=0.0), "CauchyLaw needs scale > 0"),
        (lambda: LogisticLaw(scale=math.nan), "LogisticLaw needs scale > 0"),
        (lambda: LaplaceLaw(scale=0.0), "LaplaceLaw needs scale > 0"),
        (lambda: ParetoLaw(shape=0.0), "ParetoLaw needs shape > 0 and scale > 0"),
        (lambda: KumaraswamyLaw(b=0.0), "KumaraswamyLaw needs a > 0 and b > 0"),
        (lambda: TriangularLaw(peak=2.0), "TriangularLaw needs low < peak < high"),
        (lambda: MixtureLaw(means=(1.0,)), "MixtureLaw needs as many means as stds, at least one"),
        (lambda: MixtureLaw(weights=(1.0,)), "MixtureLaw needs as many weights as means, or none"),
        (lambda: MixtureLaw(stds=(1.0, 0.0)), "MixtureLaw needs every std > 0"),
        (lambda: MixtureLaw(weights=(1.0, 0.0)), "MixtureLaw needs every weight > 0"),
        (lambda: BernoulliLaw(p=1.0), "BernoulliLaw needs 0 < p < 1"),
        (lambda: StepsLaw(values=(1.0, 0.0)), "StepsLaw needs at least two values, in rising order"),
        (lambda: StepsLaw(weights=(1.0,)), "StepsLaw needs as many weights as values, or none"),
        (lambda: StepsLaw(weights=(1.0, 1.0, 0.0)), "StepsLaw needs every weight > 0"),
        (lambda: PoissonLaw(rate=0.0), "PoissonLaw needs rate > 0"),
        (lambda: Law(count=0), "Law needs count >= 1"),
    ],
)
def test_numbers_that_make_no_law_are_refused(make, needs):
    with pytest.raises(ValueError, match=needs):
        make()
