"""Motions against images whose motion is known, and against a slow plain twin."""

import math

import numpy as np
import pytest
import torch

from zerosum.augment import Anisotropy, Flip, FractionalTranslate, IntegerTranslate, Rotate, Rotate90, Scale
from zerosum.augment import _sampling as sampling
from zerosum.augment._sampling import resampled
from zerosum.game import Draws

MOTIONS = [FractionalTranslate(), Scale(1.0), Anisotropy(1.0), Rotate(), Rotate90(), Flip(1.0), IntegerTranslate(0.5)]


def fold(place, side):
    """A place between two mirrors that stand in the first and in the last pixel."""
    place = abs(place) % (2 * (side - 1)) if side > 1 else 0
    return 2 * (side - 1) - place if place > side - 1 else place


def reading(place):
    """Whole pixels and their weights for a place on the grid of half pixels, as {pixel: weight}."""
    if place % 2 == 0:
        return {place // 2: 1.0}
    weights = np.array([3, -25, 150, 150, -25, 3]) / 256
    return {(place - 1) // 2 - 2 + i: weight for i, weight in enumerate(weights)}


def low_passed(line, factor):
    """A line of pixels between mirrors after Lanczos' filter for a line that shrinks by a factor, in float64."""
    factor = min(factor, 4)
    taps = {o: np.sinc(o / factor) * np.sinc(o / factor / 3) for o in range(-12, 13) if abs(o) < 3 * factor}
    total = sum(taps.values())
    return np.array(
        [sum(tap * line[fold(place + o, len(line))] for o, tap in taps.items()) / total for place in range(len(line))]
    )


def plain(image, motion):
    """The image `(C, H, W)` moved, pixel by pixel in float64, and low-passed first where it is shrunk."""
    _, height, width = image.shape
    across, down = (max(np.linalg.norm(row), 1) for row in motion[:, :2])
    image = np.apply_along_axis(low_passed, 2, np.apply_along_axis(low_passed, 1, image, down), across)
    moved = np.zeros_like(image, dtype=np.float64)
    for r, c in np.ndindex(height, width):
        centred = np.array([c - (width - 1) / 2, r - (height - 1) / 2])
        column, row = motion[:, :2] @ centred + motion[:, 2] + [(width - 1) / 2, (height - 1) / 2]
        row, column = 2 * row, 2 * column
        for i in (0, 1):
            for j in (0, 1):
                corner = abs(1 - i - row % 1) * abs(1 - j - column % 1)
                for y, down in reading(math.floor(row) + i).items():
                    for x, across in reading(math.floor(column) + j).items():
                        moved[:, r, c] += corner * down * across * image[:, fold(y, height), fold(x, width)]
    return moved


@pytest.mark.parametrize("part", MOTIONS, ids=repr)
@pytest.mark.parametrize("sides", [(8, 8), (5, 9)], ids=str)  # so that quarter turns carry pixels to pixels
def test_images_are_those_of_the_plain_twin(part, sides, images):
    x, draws = images(3, 2, *sides), Draws(seed=1, position=0)
    motion = part.motion(x.shape, draws, "a").double().numpy()
    twin = np.stack([plain(p, m) for p, m in zip(x.double().numpy(), motion, strict=True)])
    assert np.abs(part(x, draws, "a").numpy() - twin).max() < 2e-4


def shrunk(x, factor):
    """Images of which a place of the result is `factor` places away from the next."""
    return resampled(x, torch.tensor([[factor, 0, 0], [0, factor, 0]]).expand(len(x), -1, -1))


def test_noise_shrunk_by_two_keeps_as_much_as_under_the_published_filter():
    """Of .5, stylegan2-ada's wavelets keep .245 and no filter .353; an ideal low-pass filter keeps .25."""
    noise = 0.5 * torch.randn(16, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    assert shrunk(noise, 2.0).std().item() == pytest.approx(0.245, rel=0.12)


@pytest.mark.parametrize("axis", [2, 3])
@pytest.mark.parametrize(("frequency", "kept"), [(0.1, 1.0), (0.2, 1.0), (0.8, 0.0), (0.95, 0.0)])
def test_what_a_shrunk_image_cannot_hold_is_filtered_and_the_rest_kept(axis, frequency, kept):
    """Waves of a share of the highest frequency, shrunk by two along one axis."""
    wave = torch.cos(torch.arange(64) * math.pi * frequency).view((1, 1, -1, 1) if axis == 2 else (1, 1, 1, -1))
    factors = (1.0, 2.0) if axis == 2 else (2.0, 1.0)
    motion = torch.tensor([[[factors[0], 0, 0], [0, factors[1], 0]]])
    seen = resampled(wave.expand(1, 1, 64, 64), motion)[..., 20:44, 20:44]
    assert seen.std().item() == pytest.approx(kept * 0.5**0.5, abs=0.06)


def test_the_filter_sets_in_where_shrinking_does(images):
    x = images(2, 1, 32, 32)
    for factor in (0.5, 1.0, 1.0005):
        motion = torch.tensor([[factor, 0, 0.25], [0, factor, 0]]).expand(2, -1, -1)
        assert torch.equal(sampling._low_passed(x, motion), x)
    barely = torch.tensor([[1.01, 0, 0], [0, 1.01, 0]]).expand(2, -1, -1)
    assert 0 < (sampling._low_passed(x, barely) - x).abs().max() < 0.05


def test_flip_is_numpys_and_undoes_itself(images, given):
    x = images(4, 3, 5, 8)
    draws = given([0.0, 0.49, 0.5, 0.99])
    once = Flip()(x, draws, "a")
    assert torch.equal(once[:2], x[:2].flip(3))
    assert torch.equal(once[2:], x[2:])
    assert torch.equal(Flip()(once, draws, "a"), x)


@pytest.mark.parametrize("side", [8, 7])
def test_quarter_turns_are_numpys_and_four_are_none(side, images, given):
    x = images(4, 2, side, side)
    turned = Rotate90()(x, given([0.0, 0.3, 0.6, 0.9]), "a")
    for quarters in range(4):
        assert np.array_equal(turned[quarters], np.rot90(x[quarters], quarters, (1, 2)))
    y = x
    for _ in range(4):
        y = Rotate90()(y, given([0.3] * 4), "a")
    assert torch.equal(y, x)


def test_an_image_that_is_not_square_keeps_its_middle_when_it_is_turned(images, given):
    x = images(1, 1, 4, 8)
    turned = Rotate90()(x, given([0.3]), "a")
    assert np.array_equal(turned[0, 0, :, 2:6], np.rot90(x[0, 0, :, 2:6]))


def test_shifts_by_whole_pixels_mirror_what_is_missing(images, given):
    x = images(1, 2, 8, 8)
    right_and_up = IntegerTranslate(0.25)(x, given([[0.999, 0.001]]), "a")
    assert torch.equal(right_and_up[..., :6, 2:], x[..., 2:, :6])
    assert torch.equal(right_and_up[..., :6, :2], x[..., 2:, [2, 1]])
    assert torch.equal(right_and_up[..., 6:, 2:], x[..., [6, 5], :6])


def test_shifts_by_whole_pixels_reach_the_ratio_and_no_further(images):
    motion = IntegerTranslate(0.25).motion(torch.Size((4000, 1, 8, 16)), Draws(0, 0), "a")
    across, down = motion[:, 0, 2], motion[:, 1, 2]
    assert sorted(set(across.tolist())) == [*range(-4, 5)]
    assert sorted(set(down.tolist())) == [*range(-2, 3)]
    assert torch.equal(motion[:, :, :2], torch.eye(2).expand(4000, 2, 2))


def ramp(a, b, height=12, width=16):
    """A image that rises by a for each column and b for each row, 0 in the middle."""
    across = torch.arange(width) - (width - 1) / 2
    down = torch.arange(height) - (height - 1) / 2
    return (a * across + b * down[:, None])[None, None]


INNER = (..., slice(5, 7), slice(6, 10))  # not reached by mirrors


def test_a_ramp_shifts_by_parts_of_pixels(given):
    moved = FractionalTranslate(0.1)(ramp(1.0, 3.0), given([[0.5, -0.25]]), "a")
    expected = ramp(1.0, 3.0) - (1.0 * 0.05 * 16 - 3.0 * 0.025 * 12)
    assert torch.allclose(moved[INNER], expected[INNER], atol=1e-5)


def test_a_larger_image_rises_more_slowly(given):
    larger = Scale(0.5)(ramp(1.0, 3.0), given([1.0]), "a")
    assert torch.allclose(larger[INNER], ramp(2**-0.5, 3 * 2**-0.5)[INNER], atol=1e-5)
    smaller = Scale(0.5)(ramp(1.0, 3.0), given([-0.5]), "a")
    assert torch.allclose(smaller[INNER], ramp(2**0.25, 3 * 2**0.25)[INNER], atol=1e-3)  # mirrors bend the ramp


def test_a_stretched_image_rises_more_slowly_across_and_faster_down(given):
    wider = Anisotropy(0.5)(ramp(1.0, 3.0), given([1.0]), "a")
    assert torch.allclose(wider[INNER], ramp(2**-0.5, 3 * 2**0.5)[INNER], atol=1e-3)


def test_a_turned_ramp_rises_in_another_direction(given):
    turned = Rotate()(ramp(1.0, 0.0), given([0.5 + 1 / 12]), "a")  # by pi/6: right becomes right and up
    assert torch.allclose(turned[INNER], ramp(math.cos(math.pi / 6), -math.sin(math.pi / 6))[INNER], atol=1e-5)


def test_a_turn_by_a_quarter_is_the_quarter_turn(images, given):
    x = images(1, 2, 8, 8)
    assert torch.allclose(Rotate()(x, given([0.75]), "a"), Rotate90()(x, given([0.3]), "a"), atol=1e-5)


def test_a_smooth_image_survives_a_turn_there_and_back(given):
    across, down = torch.meshgrid(torch.arange(24.0), torch.arange(24.0), indexing="xy")
    x = (0.6 * across + 0.3 * down).sin()[None, None]
    there = Rotate()(x, given([0.5 + 0.1]), "a")
    back = Rotate()(there, given([0.5 - 0.1]), "a")
    middle = (..., slice(8, 16), slice(8, 16))
    assert not torch.allclose(there[middle], x[middle], atol=0.3)
    assert torch.allclose(back[middle], x[middle], atol=0.03)


def test_a_constant_image_stays_constant():
    x = torch.full((8, 3, 6, 7), 0.3)
    for part in MOTIONS:
        assert torch.allclose(part(x, Draws(2, 0), "a"), x, atol=1e-6)


@pytest.mark.parametrize(("part", "spread"), [(Scale(0.2), 0.2), (Anisotropy(0.3), 0.3)])
def test_sizes_are_lognormal_to_base_2(part, spread):
    motion = part.motion(torch.Size((8000, 1, 8, 8)), Draws(0, 0), "a")
    size = -motion[:, 0, 0].log2()
    assert size.std().item() == pytest.approx(spread, rel=0.05)
    assert size.mean().item() == pytest.approx(0, abs=0.02)
    product = motion[:, 0, 0] * motion[:, 1, 1]
    assert torch.allclose(product, torch.ones(())) == isinstance(part, Anisotropy)


def test_angles_are_uniform_within_their_range():
    motion = Rotate(0.25).motion(torch.Size((8000, 1, 8, 8)), Draws(0, 0), "a")
    angle = torch.atan2(motion[:, 1, 0], motion[:, 0, 0])
    assert angle.abs().max().item() == pytest.approx(math.pi / 4, rel=0.01)
    assert angle.std().item() == pytest.approx(math.pi / 4 / 3**0.5, rel=0.05)


def test_fractional_shifts_are_normal_in_shares_of_each_side():
    motion = FractionalTranslate(0.1).motion(torch.Size((8000, 1, 10, 40)), Draws(0, 0), "a")
    assert motion[:, 0, 2].std().item() == pytest.approx(4.0, rel=0.05)
    assert motion[:, 1, 2].std().item() == pytest.approx(1.0, rel=0.05)
