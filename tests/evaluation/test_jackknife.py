"""Moments of groups, and the delete-a-group jackknife."""

import gc
import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from zerosum.evaluation.group_moments import GroupMoments
from zerosum.metrics.jackknife import groups, jackknife, leave_one_out
from zerosum.metrics.moments import moments_of


def test_groups_partition_the_samples_and_have_at_least_two_each():
    for count in (*range(1, 25), 1000, 1003):
        made = groups(count)
        assert [made[0].start, made[-1].stop] == [0, count]
        assert all(one.stop == two.start for one, two in pairwise(made))
        assert len(made) == max(1, min(10, count // 2))
        assert len(made) == 1 or min(group.stop - group.start for group in made) >= 2


@pytest.mark.parametrize("batch", [1, 7, 64])
def test_moments_without_a_group_equal_direct_moments(tmp_path, batch):
    x = torch.randn(53, 3, generator=torch.Generator().manual_seed(0)) + 5
    group_moments = GroupMoments(3, 53, tmp_path)
    for chunk in torch.split(x, batch):
        group_moments.add(chunk)
    assert len(list(tmp_path.iterdir())) == 10, "one file per group"
    for found, rows in zip(group_moments.leave_one_out(), leave_one_out(x), strict=True):
        expected = moments_of(rows)
        assert found.count == expected.count == 53 - (53 - len(rows))
        assert torch.allclose(found.mean, expected.mean, rtol=1e-12)
        assert torch.allclose(found.covariance, expected.covariance, rtol=1e-10)
    whole = group_moments.whole()
    assert whole.count == 53 and torch.allclose(whole.covariance, moments_of(x).covariance, rtol=1e-10)


def test_few_samples_have_no_groups(tmp_path):
    group_moments = GroupMoments(2, 3, tmp_path)
    group_moments.add(torch.randn(3, 2))
    assert list(group_moments.leave_one_out()) == [] and list(leave_one_out(torch.randn(3, 2))) == []
    assert jackknife([1.0]) is None and jackknife([]) is None


def test_the_error_of_a_mean_is_the_standard_error():
    """For a mean of equal groups the jackknife is exactly the standard error of the mean of the groups' means."""
    x = np.random.default_rng(0).normal(size=(10, 20))
    means = x.mean(1)
    left = [(means.sum() - mean) / 9 for mean in means]
    assert jackknife(left) == pytest.approx(means.std(ddof=1) / math.sqrt(10), rel=1e-12)


def test_few_moments_are_in_memory_for_any_number_of_groups(tmp_path, request):
    def alive():
        gc.collect()
        return sum(type(one) is torch.Tensor and one.shape == (31, 31) for one in gc.get_objects())

    gc.collect()
    gc.freeze()  # what other tests have left need not be looked through each time
    request.addfinalizer(gc.unfreeze)
    group_moments, most = GroupMoments(31, 200, tmp_path), 0
    for _ in range(5):
        group_moments.add(torch.randn(40, 31))
        most = max(most, alive())
    assert most == 1
    counts = [alive() for _ in group_moments.leave_one_out()]
    assert len(counts) == 10 and max(counts) <= 4
    group_moments.whole()
    assert alive() == 1, "the merged moments are not kept"
