from itertools import pairwise

import numpy as np
import pytest
import torch

import zerosum.metrics._features as reading
from zerosum.metrics.logits import inception_score


def drawn(count=100, classes=6, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(count, classes)) * 2)


def by_hand(logits):
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return np.exp((p * np.log(p / p.mean(0))).sum(1).mean())


def test_it_is_the_formula():
    found = inception_score(drawn())
    assert found.value == pytest.approx(by_hand(drawn().numpy()), rel=1e-12) and found.spread is None
    assert inception_score(drawn().float()).value == pytest.approx(found.value, rel=1e-6)


def test_splits_are_of_consecutive_samples_and_take_all_of_them():
    found = inception_score(drawn(102), splits=4)
    bounds = [0, 25, 51, 76, 102]
    parts = [by_hand(drawn(102).numpy()[a:b]) for a, b in pairwise(bounds)]
    assert found.value == pytest.approx(np.mean(parts), rel=1e-12)
    assert found.spread == pytest.approx(np.std(parts), rel=1e-9)


def test_order_and_chunks_change_nothing_in_one_split(monkeypatch):
    wanted = inception_score(drawn()).value
    assert inception_score(drawn().flip(0)).value == pytest.approx(wanted, rel=1e-13)
    monkeypatch.setattr(reading, "AT_ONCE", 6)
    assert inception_score(drawn()).value == pytest.approx(wanted, rel=1e-13)


def test_its_bounds_are_one_and_the_number_of_classes():
    sure = 1e4 * torch.eye(5).repeat(3, 1)
    assert inception_score(sure).value == pytest.approx(5, rel=1e-12)
    assert inception_score(sure[:1].repeat(7, 1)).value == 1.0
    assert inception_score(torch.zeros(4, 5)).value == pytest.approx(1, rel=1e-12)
    assert inception_score(drawn(10, 1)).value == 1.0
    assert inception_score(sure, splits=15).value == 1.0


def test_refusals():
    with pytest.raises(ValueError, match="2 or more classified samples are needed; found 1"):
        inception_score(drawn(1))
    with pytest.raises(ValueError, match="splits must be 1 to the number of samples, 9; found 10"):
        inception_score(drawn(9), splits=10)
    with pytest.raises(ValueError, match="splits must be 1 to the number of samples, 9; found 0"):
        inception_score(drawn(9), splits=0)
    with pytest.raises(
        ValueError, match=r"classified features must be floating-point numbers \(N, d\); found int64 \(9"
    ):
        inception_score(torch.zeros(9, dtype=torch.int64))
    with pytest.raises(ValueError, match="classified features must be finite; sample 3 is not"):
        inception_score(torch.where(torch.arange(9)[:, None] == 3, torch.nan, drawn(9)))
