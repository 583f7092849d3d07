import math

import numpy as np
import pytest
import torch

from zerosum.data.toys.gaussians import GaussianMixture, Grid, Ring
from zerosum.metrics.modes import label_coverage, mode_coverage, mode_radius


def test_counts_by_hand():
    centres = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    samples = torch.tensor([[0.0, 0.29], [0.0, 0.31], [10.0, -0.29], [9.0, 0.0]])
    found = mode_coverage(samples, centres, std=0.1)
    assert (found.modes, found.found, found.high_quality) == (3, 2, 0.5)
    p = np.array([2, 2, 0]) / 4
    assert found.kl == pytest.approx(sum(x * np.log(3 * x) for x in p if x), abs=1e-12)


@pytest.mark.parametrize("source", [Ring(), Grid()])
def test_real_points_score_what_a_gaussian_must(source):
    points = source.open().read(torch.arange(20_000))
    found = mode_coverage(points, source.centres(), source.std)
    assert found.found == found.modes
    assert found.high_quality == pytest.approx(1 - np.exp(-4.5), abs=0.003)  # a plane Gaussian within 3 sigma
    assert found.kl < 0.002


def test_one_mode_is_seen_as_collapse():
    source = Ring()
    found = mode_coverage(source.centres()[:1].repeat(100, 1), source.centres(), source.std)
    assert (found.found, found.high_quality) == (1, 1.0)
    assert found.kl == pytest.approx(np.log(8))


def test_refusals():
    with pytest.raises(ValueError, match=r"expected points \(N, d\) and centres \(K, d\)"):
        mode_coverage(torch.zeros(5, 3), torch.zeros(2, 2), 1.0)


def test_reach_is_three_in_the_plane_and_holds_the_same_share_everywhere():
    assert mode_radius(2) == pytest.approx(3.0, abs=1e-9)
    for dimensions in (1, 2, 5, 64, 200):
        radius = np.linalg.norm(np.random.default_rng(0).normal(size=(20_000, dimensions)), axis=1)
        assert (radius <= mode_radius(dimensions)).mean() == pytest.approx(1 - np.exp(-4.5), abs=0.003)
    assert math.erf(mode_radius(1) / math.sqrt(2)) == pytest.approx(1 - math.exp(-4.5), abs=1e-12)


def test_real_points_of_many_dimensions_are_good_ones():
    source = GaussianMixture()
    points = source.open().read(torch.arange(10_000))
    found = mode_coverage(points, source.centres(), source.std)
    assert (found.found, found.modes) == (10, 10)
    assert found.high_quality == pytest.approx(1 - np.exp(-4.5), abs=0.005)
    assert mode_coverage(points, source.centres(), source.std, within=3.0).high_quality == 0


def test_labels_are_counted_by_hand_against_an_uneven_truth():
    labels, confident = torch.tensor([0, 0, 0, 2]), torch.tensor([True, False, True, True])
    truth = torch.tensor([0.5, 0.25, 0.125, 0.125])
    found = label_coverage(labels, confident, truth)
    assert (found.modes, found.found, found.high_quality) == (4, 2, 0.75)
    assert found.kl == pytest.approx(0.75 * np.log(0.75 / 0.5) + 0.25 * np.log(0.25 / 0.125))


def test_a_class_that_the_data_never_has_is_infinitely_far():
    assert label_coverage(torch.tensor([1]), torch.tensor([True]), torch.tensor([1.0, 0.0])).kl == np.inf


def test_what_cannot_be_counted_is_refused():
    truth = torch.full((3,), 1 / 3)
    for labels, confident in ((torch.tensor([3]), torch.ones(1)), (torch.tensor([-1]), torch.ones(1))):
        with pytest.raises(ValueError, match=r"expected labels \(N,\) below K, as many bools, and the distribution"):
            label_coverage(labels, confident, truth)
    with pytest.raises(ValueError, match=r"found \(2,\), \(1,\) and \(3,\)"):
        label_coverage(torch.tensor([0, 1]), torch.ones(1), truth)
    with pytest.raises(ValueError, match="dimensions must be 1 or more; found 0"):
        mode_radius(0)


def test_a_mode_is_found_by_a_near_sample_only():
    """A sample between the modes has a nearest one, and has not found it."""
    centres = torch.tensor([[0.0], [10.0]])
    found = mode_coverage(torch.tensor([[0.1], [7.0]]), centres, std=0.1)
    assert (found.found, found.high_quality) == (1, 0.5)
