"""Student's interval of paired differences."""

import math

import numpy as np
import pytest
import torch

from zerosum.bench.paired import Mean, mean_of, student_cdf, student_quantile

# Student 1908 and later tables: the 97.5 % quantile by degrees of freedom.
TABLE = {1: 12.7062, 2: 4.30265, 3: 3.18245, 4: 2.77645, 5: 2.57058, 9: 2.26216, 10: 2.22814, 29: 2.04523, 30: 2.04227}


@pytest.mark.parametrize("degrees", TABLE)
def test_quantiles_are_those_of_the_tables(degrees):
    assert student_quantile(0.975, degrees) == pytest.approx(TABLE[degrees], abs=1e-4)
    assert student_quantile(0.025, degrees) == pytest.approx(-TABLE[degrees], abs=1e-4)


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 7, 8])
def test_the_cdf_is_the_integral_of_the_density(degrees):
    scale = math.gamma((degrees + 1) / 2) / math.sqrt(degrees * math.pi) / math.gamma(degrees / 2)
    x = np.linspace(0, 3, 30_001)
    density = scale * (1 + x**2 / degrees) ** (-(degrees + 1) / 2)
    area = np.concatenate([[0], np.cumsum((density[1:] + density[:-1]) / 2) * 1e-4])
    found = student_cdf(torch.from_numpy(x), degrees).numpy()
    assert np.abs(found - 0.5 - area).max() < 1e-8
    assert torch.allclose(student_cdf(torch.from_numpy(-x), degrees), 1 - torch.from_numpy(found))


def test_an_interval_covers_the_mean_as_often_as_it_says():
    values = np.random.default_rng(0).normal(0.3, 2.0, (2_000, 5))
    found = [mean_of(row.tolist()) for row in values[:400]]
    covered = np.mean([abs(one.mean - 0.3) <= one.within for one in found])
    assert covered == pytest.approx(0.95, abs=0.025)
    assert found[0].mean == pytest.approx(values[0].mean())
    assert found[0].within == pytest.approx(2.77645 * values[0].std(ddof=1) / math.sqrt(5), rel=1e-5)


def test_a_difference_counts_only_where_the_whole_interval_is_on_one_side():
    assert [Mean(*pair).sign for pair in ((2.0, 1.0), (-2.0, 1.0), (1.0, 2.0), (-1.0, 2.0))] == [1, -1, 0, 0]
    assert Mean(1.0, 1.0).sign == 0 and Mean(5.0, None).sign == 0
    assert mean_of([0.5]) == Mean(0.5, None) and mean_of([0.5, 0.5]) == Mean(0.5, 0.0)
