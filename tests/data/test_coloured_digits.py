"""Digits in colour: the class gives the hue of the ink, and the grey image shows none."""

import numpy as np
import pytest
import torch

from zerosum.data import ColouredDigits, Digits, Grayscale
from zerosum.data.fingerprints import fingerprint

LUMA = np.array([0.299, 0.587, 0.114])


def opened(**options):
    data = ColouredDigits(**options).open()
    return data.read(torch.arange(len(data))).permute(0, 2, 3, 1).double().numpy(), data


def hues(x):
    """The hue of each image's ink and ground, in turns, from means over its darkest and brightest pixels."""
    digits = Digits().open()
    coverage = digits.read(torch.arange(len(digits)))[:, 0].numpy()
    found = []
    for part in (coverage > 250, coverage == 0):
        colour = (x * part[..., None]).sum((1, 2)) / part.sum((1, 2))[:, None]
        luma = colour @ LUMA
        cb, cr = (colour[:, 2] - luma) / 1.772, (colour[:, 0] - luma) / 1.402
        found.append(np.arctan2(cr, cb) / (2 * np.pi))
    return found


def apart(one, other):
    return np.abs((one - other + 0.5) % 1 - 0.5)


def test_the_inks_hue_follows_the_class_and_the_grounds_is_far_from_it():
    x, data = opened(noise=0.02)
    ink, ground = hues(x)
    off = (ink - data.labels.numpy() / 10 + 0.5) % 1 - 0.5
    assert off.std() == pytest.approx(0.02, rel=0.1) and abs(off.mean()) < 0.002
    assert apart(ink, ground).min() > 0.23 and apart(ink, ground).max() > 0.48
    counts = np.histogram(ground % 1, bins=10, range=(0, 1))[0]
    assert counts.min() > 350, "the ground has every hue"


def test_grey_images_show_no_hue():
    x, _ = opened()
    coverage = Digits().open().read(torch.arange(5000))[:, 0].numpy() / 255
    assert np.abs(x @ LUMA - (70 + 90 * coverage)).max() < 1, "one luma for all hues, to rounding"
    grey = Grayscale(part="all").open()
    c = grey.conditions.of(torch.arange(5000))
    assert np.abs(c[:, 0].numpy() - (70 + 90 * coverage)).max() < 1.5


def test_it_follows_from_the_seed_and_keeps_the_digits_labels():
    (x, data), (again, _), (other, seeded) = opened(), opened(), opened(seed=1)
    assert np.array_equal(x, again) and not np.array_equal(x, other)
    assert fingerprint(data) == fingerprint(ColouredDigits().open()) != fingerprint(seeded)
    assert (data.shape, len(data), data.classes) == ((3, 28, 28), 5000, tuple("0123456789"))
    assert torch.equal(data.labels, Digits().open().labels)
    assert Grayscale() == Grayscale(ColouredDigits())
    with pytest.raises(ValueError, match="needs a finite noise >= 0, but was given"):
        ColouredDigits(noise=-0.1)
