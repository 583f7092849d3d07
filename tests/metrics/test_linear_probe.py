"""The linear probe: against a fit by numpy, for equal and for separate sets, and as a metric."""

import numpy as np
import pytest
import torch

from zerosum.evaluation import evaluate
from zerosum.metrics import linear_probe


def normal(count, d, seed, shift=0.0):
    return np.random.default_rng(seed).normal(size=(count, d)) * np.linspace(0.1, 5, d) + shift


def reference(real, fake):
    """By weighted least squares of labels +-1 with a ridge, in numpy; each sample's fit is that of the other half."""
    right = []
    for features, sign in ((real, 1), (fake, -1)):
        own = np.zeros(len(features))
        for fold in range(2):
            parts = [each[1 - fold :: 2] for each in (real, fake)]
            x = np.concatenate(parts)
            weights = np.concatenate([np.full(len(part), 0.5 / len(part)) for part in parts])
            labels = np.concatenate([np.ones(len(parts[0])), -np.ones(len(parts[1]))])
            centre = weights @ x
            std = np.sqrt(weights @ (x - centre) ** 2)
            z = (x - centre) / std
            w = np.linalg.solve((z.T * weights) @ z + 0.1 * np.eye(x.shape[1]), (z.T * weights) @ labels)
            own[fold::2] = sign * (((features[fold::2] - centre) / std) @ w) > 0
        right.append(own)
    accuracy = (right[0].mean() + right[1].mean()) / 2
    return accuracy, np.sqrt(sum(own.var(ddof=1) / len(own) for own in right)) / 2


@pytest.mark.parametrize(("n", "m", "d"), [(40, 60, 5), (31, 30, 50)])
def test_it_is_a_ridge_regression_of_the_labels_on_the_other_half(n, m, d):
    real, fake = normal(n, d, 0), normal(m, d, 1, shift=0.3)
    found = linear_probe(real, fake)
    assert (found.accuracy, found.standard_error) == pytest.approx(reference(real, fake), rel=1e-9)
    assert 0.5 < found.accuracy < 1


def test_of_equal_distributions_half_is_right_within_the_error():
    found = linear_probe(normal(4_000, 6, 2), normal(4_000, 6, 3))
    assert abs(found.accuracy - 0.5) < 3 * found.standard_error < 0.03
    same = torch.ones(9, 3)
    assert linear_probe(same, same).accuracy == 0.5, "scores of 0 are undecided"


def test_sets_that_a_plane_separates_are_distinguished_whatever_the_scale_of_features():
    real, fake = normal(200, 4, 4), normal(50, 4, 5)
    fake[:, 0] += 2
    found = linear_probe(real, fake)
    assert found.accuracy == 1 and found.standard_error == 0
    scale = np.array([1e-5, 1, 1e5, 3])
    assert linear_probe(real * scale, fake * scale) == found


@pytest.mark.parametrize("value", [0.0, 1 / 3, 1000 / 7])
def test_constant_features_change_nothing(value):
    """Their mean is rounded, and what remains is no feature."""
    real, fake = normal(200, 3, 8), normal(205, 3, 9, shift=0.3)
    more = [np.pad(each, ((0, 0), (0, 2)), constant_values=value) for each in (real, fake)]
    assert linear_probe(*more) == linear_probe(real, fake)


def test_it_is_a_metric_of_which_lower_is_better(tmp_path):
    real, fake = normal(60, 5, 6), normal(60, 5, 7, shift=0.3)
    for name, features in (("real", real), ("fake", fake)):
        np.savez(tmp_path / f"{name}.npz", features=features)
    found = evaluate(tmp_path / "real.npz", tmp_path / "fake.npz", ("linear-probe",))
    assert 0.5 < found.values["linear-probe"] < 1 and found.errors["linear-probe"] > 0
    assert found.better["linear-probe"] == "lower"
    assert (
        found.protocol["metric.linear-probe"]
        == "ridge regression on standardised features, two folds, balanced accuracy"
    )


@pytest.mark.parametrize(
    ("real", "fake", "sentence"),
    [
        (torch.ones(3, 2), torch.ones(9, 2), "4 or more real samples are needed; found 3"),
        (torch.ones(9, 2), torch.ones(9, 3), "need equal dimensions; found 2 real and 3 fake"),
    ],
)
def test_what_cannot_be_classified_is_refused(real, fake, sentence):
    with pytest.raises(ValueError, match=sentence):
        linear_probe(real, fake)
