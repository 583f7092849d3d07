"""Moments by groups, and the error that follows from leaving one out."""

import gc
import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from zerosum.evaluation.groups_of_samples import Parts, groups, jackknife, without
from zerosum.metrics.moments import moments_of


def test_groups_share_out_all_samples_and_have_two_each():
    for count in (*range(1, 25), 1000, 1003):
        made = groups(count)
        assert [made[0].start, made[-1].stop] == [0, count]
        assert all(one.stop == two.start for one, two in pairwise(made))
        assert len(made) == max(1, min(10, count // 2))
        assert len(made) == 1 or min(group.stop - group.start for group in made) >= 2


@pytest.mark.parametrize("batch", [1, 7, 64])
def test_what_is_left_without_a_group_is_what_direct_moments_say(tmp_path, batch):
    x = torch.randn(53, 3, generator=torch.Generator().manual_seed(0)) + 5
    parts = Parts(3, 53, tmp_path)
    for piece in torch.split(x, batch):
        parts.add(piece)
    assert len(list(tmp_path.iterdir())) == 10, "each group lies in a file"
    for found, rows in zip(parts.without(), without(x), strict=True):
        expected = moments_of(rows)
        assert found.count == expected.count == 53 - (53 - len(rows))
        assert torch.allclose(found.mean, expected.mean, rtol=1e-12)
        assert torch.allclose(found.covariance, expected.covariance, rtol=1e-10)
    whole = parts.whole()
    assert whole.count == 53 and torch.allclose(whole.covariance, moments_of(x).covariance, rtol=1e-10)


def test_few_samples_have_no_groups(tmp_path):
    parts = Parts(2, 3, tmp_path)
    parts.add(torch.randn(3, 2))
    assert list(parts.without()) == [] and list(without(torch.randn(3, 2))) == []
    assert jackknife([1.0]) is None and jackknife([]) is None


def test_the_error_of_a_mean_is_the_usual_one():
    """For a mean of equal groups the jackknife is exactly the standard error of the mean of the groups' means."""
    x = np.random.default_rng(0).normal(size=(10, 20))
    means = x.mean(1)
    left = [(means.sum() - mean) / 9 for mean in means]
    assert jackknife(left) == pytest.approx(means.std(ddof=1) / math.sqrt(10), rel=1e-12)


def test_no_more_than_a_few_moments_are_in_memory_whatever_the_number_of_groups(tmp_path):
    def alive():
        gc.collect()
        return sum(type(one) is torch.Tensor and one.shape == (31, 31) for one in gc.get_objects())

    parts, most = Parts(31, 200, tmp_path), 0
    for _ in range(20):
        parts.add(torch.randn(10, 31))
        most = max(most, alive())
    assert most == 1
    counts = [alive() for _ in parts.without()]
    assert len(counts) == 10 and max(counts) <= 4
    parts.whole()
    assert alive() == 1, "the whole is not kept either"
