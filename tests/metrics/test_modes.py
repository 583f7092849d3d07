import numpy as np
import pytest
import torch

from zerosum.data.synthetic import Grid, Ring
from zerosum.metrics.modes import mode_coverage


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


def test_a_mode_is_found_by_a_near_sample_only():
    """A sample between the modes has a nearest one, and has not found it."""
    centres = torch.tensor([[0.0], [10.0]])
    found = mode_coverage(torch.tensor([[0.1], [7.0]]), centres, std=0.1)
    assert (found.found, found.high_quality) == (1, 0.5)
