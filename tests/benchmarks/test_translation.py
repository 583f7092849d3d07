"""Scores of translations without pairs, on images whose truth is known."""

import numpy as np
import pytest
import torch
from benchmarks.quality import translation as subject

from zerosum.data import Digits, Reliefs, Unpaired
from zerosum.data.held_out import part_of, subset
from zerosum.data.pairs.reliefs import relief

RANDOM = np.random.default_rng(0)


def images(count, side=16, channels=1):
    return RANDOM.integers(0, 256, (count, side, side, channels), dtype=np.uint8)


def test_counterparts_are_those_of_one_original_and_held_out():
    both = subject.domains(Unpaired(Reliefs(), Digits()))
    held = part_of(Digits().open(), "test")
    x = held.read(torch.arange(len(held)))
    assert np.array_equal(both.b[..., 0], x[:, 0].numpy())
    assert np.array_equal(both.a[..., 0], relief(x)[:, 0].numpy())
    rows = {one.tobytes() for one in both.train_b}
    assert len(both.train_b) == len(both.train_a) == 5000 - len(both.b)
    assert sum(one.tobytes() in rows for one in both.b) == 0
    assert both.back.a is both.b and both.back.train_b is both.train_a
    with pytest.raises(ValueError, match=r"are scored on Unpaired\(a, b\); found Digits"):
        subject.domains(Digits())
    with pytest.raises(ValueError, match="have different samples, so counterparts are not known"):
        subject.domains(Unpaired(Digits(), Few()))


class Few:
    """The first digits."""

    def open(self):
        return subset(Digits().open(), torch.arange(40) + 1, "few")


def test_the_error_is_a_share_of_the_range():
    black, white = np.zeros((2, 4, 4, 1), np.uint8), np.full((2, 4, 4, 1), 255, np.uint8)
    assert subject.error(black, white) == subject.error(white, black) == 1
    assert subject.error(white, np.full_like(white, 204)) == pytest.approx(0.2)


def test_features_are_without_what_the_images_of_a_set_share():
    found = subject.features(images(20))
    assert found.abs().max() > 0.01
    assert found.mean(0).abs().max() < 1e-6


def test_counterparts_are_found_where_images_are_alike():
    truth = images(40)
    near = np.clip(truth.astype(int) + RANDOM.integers(-9, 10, truth.shape), 0, 255).astype(np.uint8)
    assert subject.found(near, truth) == 1 and subject.found(255 - near, truth) < 0.3
    assert subject.found(np.roll(truth, 1, 0), truth) == 0
    assert subject.found(images(40), truth) < 0.2


def test_the_classifier_tells_domains_apart(monkeypatch):
    monkeypatch.setattr(subject, "STEPS", 40)
    across = images(200) // 4 + np.where(np.arange(16) % 4 < 2, 0, 60).astype(np.uint8)[:, None, None]
    down = across.transpose(0, 2, 1, 3)
    judge = subject.classifier(across[:150], down[:150])
    for shown in (1, 2):  # whatever the contrast
        assert subject.taken(judge, down[150:] // shown) == 1 and subject.taken(judge, across[150:] * shown) == 0
    assert subject.standardised(down).std((1, 2, 3)).sub(1).abs().max() < 1e-4


def test_mean_and_contrast_are_those_of_the_target():
    a, b = images(50) // 5 + 90, images(50) // 3
    found = subject.adapted(a, b)
    assert found.mean() == pytest.approx(b.mean(), abs=1) and found.std() == pytest.approx(b.std(), rel=0.03)
    assert np.corrcoef(found.ravel(), a.ravel())[0, 1] > 0.999


def test_rows_hold_the_trivial_methods_and_the_blur_of_least_error(monkeypatch):
    monkeypatch.setattr(subject, "STEPS", 40)
    b = images(30) // 8
    a = np.clip(subject.blurred(b, 1.0).astype(int) + 60, 0, 255).astype(np.uint8)
    both = subject.Domains(a, b, np.repeat(a, 4, 0), np.repeat(b, 4, 0))
    rows = subject.rows("x", {"`x`": b}, both, "12")
    methods = [row.split(" | ")[1] for row in rows]
    assert methods[0] == "`x`" and methods[1:] == [
        "identity",
        "identity, mean and contrast of the target",
        "blurred identity, the best radius",
        "another image of the target",
        "the counterpart, shifted by a pixel",
        "the counterpart",
    ]
    cells = {row.split(" | ")[1]: row.strip("| ").split(" | ")[2:] for row in rows}
    assert cells["`x`"] == ["0.0000", "100.0%", "100.0%", "12"] and cells["the counterpart"][:3] == cells["`x`"][:3]
    assert cells["identity"][2] == "0.0%" and float(cells["another image of the target"][0]) > 0.03
    least = min(subject.error(subject.blurred(a, radius), b) for radius in subject.RADII)
    assert float(cells["blurred identity, the best radius"][0]) == pytest.approx(least, abs=1e-4)
    assert cells["another image of the target"][1] == "0.0%"
    aside = subject.error(np.roll(b, 1, 2), b)
    assert float(cells["the counterpart, shifted by a pixel"][0]) == pytest.approx(aside, abs=1e-4)
