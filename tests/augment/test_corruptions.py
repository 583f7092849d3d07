"""Shifts out of the frame, holes, noise and frequency bands."""

import numpy as np
import pytest
import torch

from zerosum.augment import Cutout, Filter, Noise, Translate
from zerosum.augment._bands import amplified, bands, taps
from zerosum.game import Draws


def test_a_shift_leaves_zeros_or_a_mirror_behind(images, given):
    x = images(1, 2, 8, 8)
    down_and_left = given([[0.999, 0.0]])
    zeros, mirror = (Translate(0.25, fill)(x, down_and_left, "a") for fill in ("zeros", "mirror"))
    for shifted in (zeros, mirror):
        assert torch.equal(shifted[..., 2:, :6], x[..., :6, 2:])
    assert not zeros[..., :2, :].any() and not zeros[..., 6:].any()
    assert torch.equal(mirror[..., :2, :6], x[..., [2, 1], 2:])
    assert torch.equal(mirror[..., 2:, 6:], x[..., :6, [6, 5]])


def test_a_shift_keeps_all_that_stays_in_the_frame():
    x = torch.zeros(2000, 1, 12, 16)
    x[:, :, 5:7, 7:9] = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    y = Translate()(x, Draws(0, 0), "a")
    assert torch.equal(y.sum((1, 2, 3)), x.sum((1, 2, 3)))
    rows, columns = (y == 4).nonzero()[:, 2:].unbind(1)
    places, counts = torch.stack((rows - 6, columns - 8)).unique(dim=1, return_counts=True)
    assert places.T.tolist() == [[r, c] for r in (-1, 0, 1) for c in (-2, -1, 0, 1, 2)]  # 12 // 8 and 16 // 8
    assert counts.min() > 90 and counts.max() < 180  # 133 each in the mean, if all are as likely


def holes(part, height, width, count=3000):
    return part(torch.ones(count, 2, height, width), Draws(0, 0), "a") == 0


def test_a_hole_is_one_rectangle_through_all_channels():
    hole = holes(Cutout(), 8, 12)
    assert torch.equal(hole[:, 0], hole[:, 1])
    rows, columns = hole[:, 0].any(2), hole[:, 0].any(1)
    assert torch.equal(hole[:, 0], rows[:, :, None] & columns[:, None])
    for line, side in ((rows, 8), (columns, 12)):
        assert line.sum(1).max() == side // 2
        assert line.sum(1).min() == side // 4, "the middle of the hole lies in the image"
        assert (line.int().diff(dim=1) == 1).sum(1).max() == 1, "contiguous"


@pytest.mark.parametrize(("ratio", "side", "starts"), [(0.5, 8, range(-2, 7)), (0.4, 8, range(-1, 7))])
def test_all_places_of_a_hole_are_as_likely(ratio, side, starts, given):
    size = int(ratio * side)
    found = [Cutout(ratio)(torch.ones(1, 1, side, side), given([u]), "a") == 0 for u in np.linspace(0, 0.9999, 901)]
    line = torch.stack(found)[:, 0, 0].any(1)
    expected = [[start <= place < start + size for place in range(side)] for start in starts]
    places, counts = line.unique(dim=0, return_counts=True)
    assert sorted(places.tolist()) == sorted(expected)
    assert counts.max() - counts.min() <= 2


def test_a_whole_hole_and_no_hole(images, given):
    x = images(3, 2, 6, 6)
    assert torch.equal(Cutout(0.0)(x, Draws(0, 0), "a"), x)
    assert not Cutout(1.0)(x, given([0.5] * 3), "a").any()


def test_noise_has_a_spread_of_its_own_on_each_sample():
    noise = Noise(0.2)(torch.zeros(2000, 1, 16, 16), Draws(0, 0), "a")
    spread = noise.flatten(1).std(1)
    assert noise.mean().item() == pytest.approx(0, abs=0.002)
    assert spread.square().mean().sqrt().item() == pytest.approx(0.2, rel=0.05)
    assert spread.mean().item() == pytest.approx(0.2 * (2 / np.pi) ** 0.5, rel=0.05)  # |n| of a normal n


def test_noise_goes_with_points():
    x = torch.zeros(500, 2)
    noise = Noise(0.2)(x, Draws(0, 0), "a")
    assert noise.shape == x.shape and len(noise.unique()) == 1000
    alone = Noise(0.2)(torch.zeros(8000, 1), Draws(0, 0), "a")
    assert alone.std().item() == pytest.approx(0.2, rel=0.1), "the spread is drawn apart from the noise"


def test_bands_add_up_to_the_image_and_have_their_octaves():
    filters = taps().numpy()
    assert filters.shape == (4, 43)
    assert np.allclose(filters.sum(0), np.eye(43)[21], atol=1e-12)
    assert np.allclose(filters, filters[:, ::-1], atol=1e-12)
    response = np.abs(np.fft.rfft(filters, 512))
    middles = [np.pi / 16, 3 * np.pi / 16, 3 * np.pi / 8, 3 * np.pi / 4]
    at_middles = response[:, [round(m / np.pi * 256) for m in middles]]
    assert (at_middles.argmax(0) == np.arange(4)).all()
    assert (np.diag(at_middles) > 0.7).all()
    assert np.allclose(response[:, 0], [1, 0, 0, 0], atol=1e-12)


def test_a_wave_is_amplified_as_its_band():
    place = torch.arange(96.0)
    gains = torch.tensor([[2.0, 1.0, 1.0, 0.5]])
    for cycles, gain in ((0, 2.0), (48, 0.5)):  # constant, and black and white in turn
        across = torch.cos(2 * torch.pi * cycles * place / 96).expand(1, 1, 96, 96)
        assert torch.allclose(amplified(across, gains), 2.0 * gain * across, atol=1e-4)  # constant along the columns


@pytest.mark.parametrize("side", [1, 5, 28])
def test_band_matrices_filter_mirrored_rows(side):
    x = np.random.default_rng(0).normal(size=side)
    wide = np.pad(x, 21, mode="reflect") if side > 1 else np.full(43, x[0])
    for matrix, filters in zip(bands(side).numpy(), taps().numpy(), strict=True):
        assert np.allclose(matrix @ x, np.convolve(wide, filters, "valid"), atol=1e-5)


def test_gains_keep_the_power_of_the_usual_spectrum(given):
    power = np.array([10, 1, 1, 1]) / 13
    n = np.array([[1.5, -0.5], [0.0, 2.0]])
    gains = Filter((1, 3), 0.5).gains(2, given(n), "a").double().numpy()
    for found, (first, second) in zip(gains, n, strict=True):
        one, three = np.array([1, 2 ** (0.5 * first), 1, 1]), np.array([1, 1, 1, 2 ** (0.5 * second)])
        expected = one / np.sqrt((power * one**2).sum()) * three / np.sqrt((power * three**2).sum())
        assert np.allclose(found, expected, rtol=1e-5)
    assert torch.allclose(Filter((0, 1, 2, 3), 0.0).gains(3, Draws(0, 0), "a"), torch.ones(3, 4))


def test_unknown_bands_and_fills_are_refused():
    with pytest.raises(
        ValueError, match=r"bands are some of 0, 1, 2 and 3, from low to high frequencies; found \(4,\)"
    ):
        Filter((4,))
    with pytest.raises(ValueError, match="fill is zeros or mirror; found 'ones'"):
        Translate(fill="ones")
