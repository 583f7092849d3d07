"""A reading passes what is right, catches what is broken, and says of the rest that it cannot be read."""

import math

import pytest
import torch
from torch.nn.functional import conv2d, pad

from zerosum.probes.counting import Counting
from zerosum.probes.fitting import nearest_drawing
from zerosum.probes.rules import (
    RuleKept,
    Verdict,
    asymmetry,
    exactly,
    mirrored,
    object_counts,
    one_of_each,
    one_view,
    residual_share,
)
from zerosum.probes.solids import Cuboids
from zerosum.probes.structure import Faces, Mirrored

N, FEW = 200, 100
COUNTING, FACES, CUBOIDS = Counting(count=N), Faces(count=N), Cuboids(count=FEW)
STARTS = Cuboids(count=512, seed=9).views()


def images(source):
    data = source.open()
    return data.read(torch.arange(len(data)))


def noisy(x, std):
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(3))
    return (x + std * noise).round().clamp(0, 255).byte()


def blurred(x, sigma):
    line = torch.exp(-torch.arange(-4, 5.0).square() / (2 * sigma**2))
    kernel = (line / line.sum()).expand(x.shape[1], 1, 1, -1)
    y = pad(x.float(), (4,) * 4, mode="replicate")
    y = conv2d(conv2d(y, kernel, groups=x.shape[1]), kernel.mT, groups=x.shape[1])
    return y.round().byte()


def counted(x):
    return exactly(x, COUNTING.open().labels + 1, COUNTING.areas())


def viewed(x):
    return one_view(x, CUBOIDS.draw, STARTS)


READINGS = [
    (COUNTING, counted),
    (Mirrored(count=N), mirrored),
    (FACES, one_of_each),
    (CUBOIDS, viewed),
]
each = pytest.mark.parametrize(("source", "reading"), READINGS, ids=["counting", "mirrored", "faces", "solids"])


@each
def test_what_is_right_passes_clean_and_under_mild_noise_and_blur(source, reading):
    x = images(source)
    for changed, least in ((x, 0.99), (noisy(x, 8), 0.99), (blurred(x, 0.5), 0.99), (noisy(blurred(x, 0.6), 6), 0.97)):
        summary = reading(changed).summary()
        assert summary.kept >= least and summary.samples == len(x)


@each
def test_more_noise_and_blur_make_it_unreadable_rather_than_wrong(source, reading):
    x = images(source)
    for changed in (noisy(x, 16), blurred(x, 0.8), blurred(x, 1.2)):
        summary = reading(changed).summary()
        assert summary.broken <= 0.05, summary
    assert reading(noisy(x, 90)).summary().unreadable > 0.5


@each
def test_what_shows_nothing_is_unreadable(source, reading):
    x = images(source)
    random = torch.randint(256, x.shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    for changed in (random, torch.full_like(x, 120), torch.full_like(x, 255)):
        summary = reading(changed).summary()
        assert summary.kept == 0 and summary.unreadable > 0.95


def test_black_holds_no_objects_and_is_readable_as_such():
    summary = exactly(torch.zeros(4, 3, 32, 32, dtype=torch.uint8), (1, 2), COUNTING.areas()).summary()
    assert (summary.kept, summary.broken, summary.unreadable) == (0, 1, 0)


@pytest.mark.parametrize("other", [-1, 1, 2])
def test_one_object_more_or_fewer_is_caught(other):
    summary = exactly(images(COUNTING), COUNTING.open().labels + 1 + other, COUNTING.areas()).summary()
    assert summary.broken >= 0.99


def test_an_object_wiped_out_is_missed():
    x, labels = images(COUNTING), COUNTING.open().labels
    counts = object_counts(x, COUNTING.areas())
    assert torch.equal(counts, labels + 1)
    top = torch.where(labels == 0, 0, 16)  # the lower half goes, and with it what is there
    for one, row in enumerate(top.tolist()):
        x[one, :, row:] = x[one, :, :1, :1]
    verdict = exactly(x, labels + 1, COUNTING.areas())
    assert (object_counts(x, COUNTING.areas()) <= labels + 1).all() and verdict.summary().kept < 0.2


def test_wanted_numbers_may_be_any_of_some():
    x, labels = images(COUNTING), COUNTING.open().labels
    assert torch.equal(exactly(x, (2, 3), COUNTING.areas()).right, (labels == 1) | (labels == 2))


def test_faint_and_half_objects_are_unreadable_and_specks_are_nothing():
    x = torch.full((4, 3, 32, 32), 20, dtype=torch.uint8)
    x[:, :, 4:10, 4:10] = 230
    x[0, :, 20:26, 20:26] = 95  # a ghost
    x[1, :, 20:23, 20:23] = 230  # half an object
    x[2, :, 16:28, 12:28] = 230  # objects run into each other
    x[3, :, 20, 20] = 230
    verdict = exactly(x, (1,), COUNTING.areas())
    assert verdict.readable.tolist() == [False, False, False, True] and verdict.right.tolist() == [False] * 3 + [True]


def test_asymmetry_is_the_share_of_the_odd_part():
    draw = torch.Generator().manual_seed(0)
    x = torch.randint(256, (3, 1, 1, 32), generator=draw).expand(-1, -1, 32, -1).byte()  # no noise along both sides
    line = x[:, 0, 0].double()
    soft = torch.cat([line[:, :1], line, line[:, -1:]], 1)
    soft = soft[:, :-2] / 4 + soft[:, 1:-1] / 2 + soft[:, 2:] / 4
    odd, even = (soft - soft.flip(1)) / 2, (soft + soft.flip(1)) / 2
    even = even - even.mean(1, keepdim=True)
    assert torch.allclose(asymmetry(x), odd.square().sum(1) / (odd.square() + even.square()).sum(1), rtol=1e-5)


@pytest.mark.parametrize("shift", [(2, 2), (4, 2), (-3, 2), (2, 3), (3, 3), (0, 0)])
def test_a_half_that_is_shifted_or_of_another_image_is_caught(shift):
    x = images(Mirrored(count=N))
    by, axis = shift
    right = x.roll(1, 0)[..., 16:] if not by else x.roll(by, axis)[..., 16:]
    assert mirrored(torch.cat([x[..., :16], right], -1)).summary().broken >= 0.98


PARTS = ("left eye", "right eye", "nose", "mouth")


@pytest.mark.parametrize("part", PARTS)
def test_a_missing_and_a_moved_part_are_caught(part):
    ellipses, colours = FACES.table()
    number = 1 + PARTS.index(part)
    assert torch.equal(one_of_each(FACES.draw(ellipses, colours)).right, torch.ones(N, dtype=torch.bool))
    gone = ellipses.clone()
    gone[:, number, 2:] = 0
    assert one_of_each(FACES.draw(gone, colours)).summary().broken >= 0.99
    for by in ((3, 0), (-3, 0), (0, 3), (0, -3)):
        moved = ellipses.clone()
        moved[:, number, :2] += torch.tensor(by) / 32
        assert one_of_each(FACES.draw(moved, colours)).summary().broken >= 0.95, by


def test_something_more_in_the_cheek_is_caught():
    ellipses, colours = FACES.table()
    x = FACES.draw(ellipses, colours)
    column, row = (32 * (ellipses[:, 0, :2] + ellipses[:, 0, 2:] * torch.tensor([-0.55, 0.15]))).long().unbind(1)
    for one, (i, j) in enumerate(zip(row.tolist(), column.tolist(), strict=True)):
        x[one, :, i - 1 : i + 2, j - 1 : j + 2] = 30
    assert one_of_each(x).summary().broken >= 0.97


def test_no_head_a_head_cut_off_and_two_of_them():
    ellipses, colours = FACES.table()
    gone, half = ellipses.clone(), ellipses.clone()
    gone[:, :, 2:], half[:, :, 0] = 0, ellipses[:, :, 0] - 0.3
    assert one_of_each(FACES.draw(gone, colours)).summary().unreadable == 1
    assert one_of_each(FACES.draw(half, colours)).summary().unreadable == 1
    small = Faces(side=64, count=4)
    tables = small.table()
    x = small.draw(*tables)
    assert one_of_each(x).summary().kept == 1
    x[:, :, :6, :6] = 230
    assert one_of_each(x).summary().broken == 1, "something else is lit beside the head"


def test_an_eye_too_faint_to_be_meant_is_unreadable():
    ellipses, colours = FACES.table()
    x = FACES.draw(ellipses, colours).float()
    gone = ellipses.clone()
    gone[:, 1, 2:] = 0
    faint = (0.35 * x + 0.65 * FACES.draw(gone, colours)).round().byte()
    assert one_of_each(faint).summary().unreadable >= 0.95


def test_a_corner_out_of_place_is_caught():
    views = CUBOIDS.views()
    corners = CUBOIDS.corners(views)
    draw = torch.Generator().manual_seed(0)
    angle, which = torch.rand(FEW, generator=draw) * 2 * math.pi, torch.randint(7, (FEW,), generator=draw)
    corners[torch.arange(FEW), which] += 4 * torch.stack([angle.cos(), angle.sin()], 1)
    x = CUBOIDS.draw_corners(corners).round().clamp(0, 255).byte()
    assert viewed(x).summary().broken >= 0.95


def test_lines_that_run_apart_instead_of_together_are_caught():
    corners = CUBOIDS.corners(CUBOIDS.views())
    # The corners on the ground are drawn in, so that the verticals run together; and here the other way round.
    centre = corners[:, 4:].mean(1, keepdim=True)
    corners[:, 4:] = centre + 1.45 * (corners[:, 4:] - centre)
    x = CUBOIDS.draw_corners(corners).round().clamp(0, 255).byte()
    assert viewed(x).summary().kept <= 0.05


def test_two_views_in_one_image_and_light_from_below_are_caught():
    x = images(CUBOIDS)
    half = torch.cat([x[..., :16], x.roll(1, 0)[..., 16:]], -1)
    assert viewed(half).summary().kept <= 0.05
    shades = torch.arange(256, dtype=torch.uint8)
    shades[150:240] = torch.linspace(240, 150, 90).byte()  # bright and middle grey change places
    assert viewed(shades[x.long()]).summary().kept == 0


def test_the_nearest_drawing_is_found_from_afar():
    def draw(p):
        line = torch.arange(24.0)
        return (100 * torch.exp(-((line - p[:, :1]) ** 2) / (2 * p[:, 1:] ** 2)))[:, None, None]

    truth = torch.tensor([[11.3, 3.2], [6.0, 2.5], [17.9, 4.0]])
    starts = torch.cartesian_prod(torch.tensor([4.0, 8.0, 12.0, 16.0, 20.0]), torch.tensor([2.0, 5.0]))
    found = nearest_drawing(draw(truth), draw, starts)
    assert torch.allclose(found.parameters, truth, atol=1e-2)
    mean = draw(truth).double().mean(3, keepdim=True)
    assert torch.allclose(found.power, (draw(truth) - mean).square().sum((1, 2, 3)))
    lifted = nearest_drawing(draw(truth) + 3, draw, starts)
    assert (lifted.error < 24 * 9.01).all() and (lifted.error > 24 * 3).all()


def test_residual_share_is_what_no_view_explains():
    x = images(Cuboids(count=8))
    assert residual_share(x, CUBOIDS.draw, STARTS).max() < 1e-4
    spot = x.clone()
    spot[:, :, 2:6, 2:6] = 150
    soft = 132.0**2 * (4 + 2 * (0.75**2 + 0.25**2) - 2) ** 2  # along a side 1/4, 3/4, 1, 1, 3/4, 1/4 of the height
    power = spot.double().var((1, 2, 3)) * 1023
    left = residual_share(spot, CUBOIDS.draw, STARTS)
    assert ((left * power / soft - 1).abs() < 0.35).all()


def test_shares_sum_to_one_with_the_error_of_a_share():
    readable = torch.tensor([True] * 8 + [False] * 2)
    right = torch.tensor([True] * 6 + [False] * 4)
    found = Verdict(readable, right).summary()
    assert found == RuleKept(10, 0.6, pytest.approx(0.2), pytest.approx(0.2), pytest.approx(math.sqrt(0.2 * 0.8 / 10)))


def test_refusals():
    x = torch.zeros(2, 3, 32, 32)
    with pytest.raises(ValueError, match=r"rules take uint8 images \(B, C, H, W\), at least one; found"):
        mirrored(x)
    with pytest.raises(ValueError, match=r"wanted is int64 \(2,\), one per image; found torch.float32 \(2,\)"):
        exactly(x.byte(), torch.ones(2), (20.0, 40.0))
