"""Colours against what numpy makes of them in float64."""

import math

import numpy as np
import pytest
import torch

from zerosum.augment import Brightness, Contrast, Hue, LumaFlip, Saturation
from zerosum.game import Draws

UNIFORM = [0.0, 0.2, 0.5, 0.7, 0.99]
NORMAL = [-2.0, -0.3, 0.0, 0.5, 1.7]
CHANNELS = [1, 2, 3, 4]


def column(numbers):
    """Numbers of the samples, to go with images."""
    return np.float32(numbers).astype(np.float64)[:, None, None, None]


def check(part, numbers, x, given, expected):
    found = part(x, given(numbers), "a").double().numpy()
    assert np.abs(found - expected).max() < 2e-5


@pytest.mark.parametrize("channels", CHANNELS)
def test_brightness_adds_one_number_to_all_channels(channels, images, given):
    x = images(5, channels, 4, 6)
    plain = x.double().numpy()
    check(Brightness(0.3), UNIFORM, x, given, plain + 0.3 * (2 * column(UNIFORM) - 1))
    check(Brightness(0.3, "normal"), NORMAL, x, given, plain + 0.3 * column(NORMAL))


@pytest.mark.parametrize("channels", CHANNELS)
def test_contrast_scales_about_the_mean_or_about_grey(channels, images, given):
    x = images(5, channels, 4, 6) + 0.3
    plain = x.double().numpy()
    mean = plain.mean((1, 2, 3), keepdims=True)
    check(Contrast(0.4), UNIFORM, x, given, (plain - mean) * (1 + 0.4 * (2 * column(UNIFORM) - 1)) + mean)
    check(Contrast(0.4, "normal"), NORMAL, x, given, plain * 2 ** (0.4 * column(NORMAL)))


@pytest.mark.parametrize("channels", CHANNELS)
def test_saturation_scales_about_the_mean_of_the_channels(channels, images, given):
    x = images(5, channels, 4, 6)
    plain = x.double().numpy()
    grey = plain.mean(1, keepdims=True)
    check(Saturation(0.9), UNIFORM, x, given, (plain - grey) * (1 + 0.9 * (2 * column(UNIFORM) - 1)) + grey)
    check(Saturation(0.9, "normal"), NORMAL, x, given, (plain - grey) * 2 ** (0.9 * column(NORMAL)) + grey)


@pytest.mark.parametrize("channels", CHANNELS)
def test_luma_flip_turns_light_over_and_undoes_itself(channels, images, given):
    x = images(5, channels, 4, 6)
    plain = x.double().numpy()
    flipped = plain - 2 * plain.mean(1, keepdims=True) * (column(UNIFORM) < 0.5)
    check(LumaFlip(), UNIFORM, x, given, flipped)
    draws = given(UNIFORM)
    assert torch.allclose(LumaFlip()(LumaFlip()(x, draws, "a"), draws, "a"), x, atol=1e-6)


def test_hue_turns_colours_around_grey(images, given):
    x = images(5, 3, 4, 6)
    plain = x.double().numpy()
    # In axes of which the first is grey, a turn of the other two.
    axes = np.array([[1, 1, 1], [1, -1, 0], [1, 1, -2]]) / np.sqrt([[3], [2], [6]])
    expected = np.empty_like(plain)
    for i, share in enumerate(np.float32(UNIFORM)):
        angle = (2 * share - 1) * 0.8 * math.pi
        turn = [[1, 0, 0], [0, math.cos(angle), -math.sin(angle)], [0, math.sin(angle), math.cos(angle)]]
        expected[i] = np.einsum("ij,jhw->ihw", axes.T @ turn @ axes, plain[i])
    check(Hue(0.8), UNIFORM, x, given, expected)


def test_a_third_of_a_turn_changes_red_to_green_and_green_to_blue(given):
    red = torch.tensor([0.7, -0.1, -0.2]).view(1, 3, 1, 1)
    turned = Hue()(red, given([0.5 + 1 / 3]), "a")
    assert turned.flatten().tolist() == pytest.approx([-0.2, 0.7, -0.1], abs=1e-6)


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_only_three_channels_have_a_hue(channels, images):
    x = images(5, channels, 4, 6)
    assert torch.equal(Hue()(x, Draws(0, 0), "a"), x)


def test_one_channel_is_grey_whatever_its_saturation(images):
    x = images(5, 1, 4, 6)
    assert torch.allclose(Saturation(distribution="normal")(x, Draws(0, 0), "a"), x, atol=1e-6)


@pytest.mark.parametrize("part", [Hue(), Saturation(), Saturation(distribution="normal")], ids=repr)
def test_hue_and_saturation_leave_the_lightness_alone(part, images):
    x = images(5, 3, 4, 6)
    assert torch.allclose(part(x, Draws(0, 0), "a").mean(1), x.mean(1), atol=1e-6)


@pytest.mark.parametrize("kind", [Brightness, Contrast, Saturation])
def test_other_distributions_are_refused(kind):
    with pytest.raises(ValueError, match=r"distribution is uniform \(DiffAugment\) or normal \(ADA\); found 'cauchy'"):
        kind(distribution="cauchy")
