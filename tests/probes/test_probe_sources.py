"""Images whose truth is known: drawn as the seed says, and as they say."""

import math

import numpy as np
import pytest
import torch

from zerosum.data.inspect import info
from zerosum.probes import drawing
from zerosum.probes.counting import Counting
from zerosum.probes.solids import Cuboids
from zerosum.probes.structure import Faces, Mirrored
from zerosum.recipes.reader import read

SOURCES = [Counting, Mirrored, Faces, Cuboids]
each = pytest.mark.parametrize("kind", SOURCES, ids=lambda kind: kind.__name__)


def images(source):
    data = source.open()
    return data.read(torch.arange(len(data)))


@each
def test_images_follow_from_the_seed_and_their_place_alone(kind):
    few = images(kind(count=40))
    assert torch.equal(few, images(kind(count=300))[:40]), "a longer set begins with the shorter one"
    assert not torch.equal(few, images(kind(count=40, seed=1)))
    assert few.dtype == torch.uint8 and info(kind(count=300).open()).duplicates == 0
    assert read(repr(kind(count=3))) == kind(count=3)


@each
def test_the_side_scales_the_drawing(kind):
    small, large = (images(kind(side=side, count=6)).double() for side in (32, 96))
    again = torch.nn.functional.avg_pool2d(large, 3)
    assert large.shape[-2:] == (96, 96)
    assert (small - again).abs().mean() < 6 and (small - again).abs().flatten(1).quantile(0.9) < 20


def distances(side, inside):
    """Share of each pixel inside a shape, by 20 x 20 points a pixel: slow and plain."""
    line = (np.arange(side * 20) + 0.5) / 20
    x, y = np.meshgrid(line, line)
    return inside(x, y).reshape(side, 20, side, 20).mean((1, 3))


def test_shapes_cover_their_pixels():
    centre, radii = torch.tensor([[7.3, 8.1]]), torch.tensor([[4.6, 4.6]])
    disc = drawing.covered(drawing.ellipse(16, centre, radii))[0].numpy()
    assert np.abs(disc - distances(16, lambda x, y: np.hypot(x - 7.3, y - 8.1) < 4.6)).max() < 0.13
    oval = drawing.covered(drawing.ellipse(16, centre, torch.tensor([[6.0, 3.0]])))[0].numpy()
    truth = distances(16, lambda x, y: ((x - 7.3) / 6) ** 2 + ((y - 8.1) / 3) ** 2 < 1)
    assert np.abs(oval - truth).max() < 0.2 and abs(oval.sum() - math.pi * 18) < 0.5
    square = torch.tensor([[[3.5, 4.25], [11.0, 4.25], [11.0, 9.0], [3.5, 9.0]]])
    box = drawing.covered(drawing.polygon(16, square))[0].numpy()
    inside = distances(16, lambda x, y: (x > 3.5) & (x < 11) & (y > 4.25) & (y < 9))
    assert np.abs(box - inside).max() < 0.3 and np.allclose(box[6], inside[6]), "corners alone are not exact"
    corners = drawing.turned(torch.tensor([[8.0, 8.0]]), torch.tensor([5.0]), torch.tensor([0.3]), 3)
    assert float(drawing.covered(drawing.polygon(16, corners)).sum()) == pytest.approx(0.75 * 3**0.5 * 25, abs=0.8)
    assert not drawing.covered(drawing.ellipse(16, centre, torch.tensor([[0.0, 2.0]]))).any()


def test_objects_are_as_many_as_the_label_says_and_keep_apart():
    source = Counting(numbers=(4, 2), count=600)
    data = source.open()
    assert data.classes == ("4", "2") and data.name == "4 or 2 objects"
    assert 0.4 < float(data.labels.double().mean()) < 0.6
    wanted = torch.tensor(source.numbers)[data.labels]
    reach = torch.full((600, 5), 4.0)
    place = source._placed(wanted, reach)
    apart = (place[:, :, None] - place[:, None]).norm(dim=3)
    pairs = (torch.arange(5) < wanted[:, None])[:, :, None] & (torch.arange(5) < wanted[:, None])[:, None]
    assert apart[pairs & (apart > 0)].min() >= 8 + 0.075 * 32 - 1e-4
    shown = place[torch.arange(5) < wanted[:, None]]
    assert shown.min() >= 4 + 0.02 * 32 - 1e-4 and shown.max() <= 32 - 4 - 0.02 * 32 + 1e-4
    spread = place[:, 0]
    assert spread.std(0).min() > 5, "objects move all over the image and do not stay where they began"


def test_areas_are_those_of_objects():
    source = Counting(numbers=(1,), count=400)
    lit = (images(source).double().amax(1) - 40).clamp(min=0)
    area = lit.sum((1, 2)) / lit.amax((1, 2))
    low, high = source.areas()
    assert 0.9 * low < area.min() < 1.2 * low and 0.85 * high < area.max() < 1.1 * high


def test_halves_mirror_each_other_exactly_and_say_something():
    x = images(Mirrored(count=300))
    assert torch.equal(x, x.flip(-1))
    assert x.double().std((2, 3)).amax(1).min() > 15
    assert not torch.equal(x, x.flip(-2))


def test_faces_are_what_their_table_says():
    source = Faces(count=300)
    ellipses, colours = source.table()
    assert torch.equal(source.draw(ellipses, colours), images(source))
    head, left, right, nose, mouth = ellipses.unbind(1)
    axis = head[:, 0]
    assert torch.allclose(left[:, 0] + right[:, 0], 2 * axis) and torch.equal(left[:, 1:], right[:, 1:])
    assert torch.equal(nose[:, 0], axis) and torch.equal(mouth[:, 0], axis)
    assert (left[:, 1] < nose[:, 1]).all() and (nose[:, 1] < mouth[:, 1]).all()
    for part in (left, nose, mouth):
        inside = ((part[:, :2] - head[:, :2]).abs() + part[:, 2:]) / head[:, 2:]
        assert (inside.square().sum(1) < 1).all()
    assert (head[:, :2] - head[:, 2:]).min() > 1 / 32 and (head[:, :2] + head[:, 2:]).max() < 31 / 32
    assert ((mouth[:, 1] - mouth[:, 3]) - (nose[:, 1] + nose[:, 3])).min() > 1.2 / 32, "parts never touch"
    assert colours[:, 1].mean(1).min() - colours[:, 2:].mean(2).max() > 60, "parts are far darker than any skin"


def test_corners_are_seen_as_a_camera_sees_them():
    source = Cuboids(count=200)
    views, corners = source.views(), source.corners(source.views()).double().numpy()
    signs = np.array([(-1, 1, 1), (1, 1, 1), (1, 1, -1), (-1, 1, -1), (-1, -1, 1), (1, -1, 1), (-1, -1, -1)])
    for view, seen in zip(views.double().numpy()[:20], corners, strict=False):
        turn, tilt = np.deg2rad(view[3:5])
        about_y = np.array([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]])
        about_x = np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]])
        x, y, z = about_x @ about_y @ (signs * view[:3]).T
        flat = np.stack([0.74 * x / (3.4 - z), -0.74 * y / (3.4 - z)], 1)
        assert np.allclose(seen, 32 * (0.5 + view[5:7] + flat), atol=1e-4)
    assert corners.min() > 1 and corners.max() < 31


def test_edges_of_a_direction_run_to_one_point():
    source = Cuboids(count=50)
    for seen in source.corners(source.views()).double().numpy():
        for family in (((0, 1), (3, 2), (4, 5)), ((1, 2), (0, 3), (4, 6)), ((0, 4), (1, 5), (3, 6))):
            lines = [np.cross([*seen[a], 1], [*seen[b], 1]) for a, b in family]
            lines = [line / np.linalg.norm(line[:2]) for line in lines]
            meeting = np.cross(lines[0], lines[1])
            assert abs(lines[2] @ meeting) / np.linalg.norm(meeting) < 1e-4


def test_faces_of_a_solid_have_their_shades():
    source = Cuboids(count=20)
    views = source.views()
    x, corners = source.draw(views)[:, 0], source.corners(views)
    for face, shade in (((0, 1, 2, 3), 235), ((0, 1, 5, 4), 155), ((3, 0, 4, 6), 85)):
        column, row = corners[:, face].mean(1).long().unbind(1)
        assert ((x[torch.arange(20), row, column] - shade).abs() < 3).all()
    assert (x[:, 0, 0] == 18).all()


@pytest.mark.parametrize(
    ("make", "needs"),
    [
        (lambda: Counting(numbers=()), r"Counting needs numbers in 1..5, at least one, each once"),
        (lambda: Counting(numbers=(2, 6)), r"Counting needs numbers in 1..5"),
        (lambda: Counting(numbers=(2, 2)), r"Counting needs numbers in 1..5"),
        (lambda: Counting(side=28), "Counting needs side >= 32 and count >= 1"),
        (lambda: Mirrored(side=33), "Mirrored needs an even side >= 16"),
        (lambda: Mirrored(count=0), "Mirrored needs count >= 1"),
        (lambda: Faces(side=16), "Faces needs side >= 32 and count >= 1"),
        (lambda: Cuboids(count=0), "Cuboids needs side >= 32 and count >= 1"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(make, needs):
    with pytest.raises(ValueError, match=needs):
        make()
