"""Digits that move as they should: straight at a constant speed, and reflected at the borders."""

import numpy as np
import pytest
import torch

from zerosum.data import Digits, MovingDigits
from zerosum.data.fingerprints import fingerprint


def frames(past=9, **options):
    """All frames (count, past + 1, H, W), float64, and the data set."""
    data = MovingDigits(past=past, part="all", **options).open()
    index = torch.arange(len(data))
    found = torch.cat([data.conditions.of(index), data.read(index)], 1)
    return found.double().numpy(), data


def centres(x):
    down, across = np.arange(x.shape[2]), np.arange(x.shape[3])
    total = x.sum((2, 3))
    return np.stack([(x.sum(3) * down).sum(2) / total, (x.sum(2) * across).sum(2) / total], -1)


@pytest.mark.parametrize("size", [32, 64])
def test_the_centre_moves_straight_at_one_speed_between_reflections(size):
    x, _ = frames(count=300, size=size)
    path = centres(x)
    step = np.diff(path, axis=1)
    turned = np.abs(np.diff(np.abs(step), axis=1)) > 0.1  # a reflection within a step shortens it
    speed = np.abs(step)
    straight = np.median(speed, 1)
    assert (np.abs(speed - straight[:, None]) < 0.1).mean() > 0.75
    assert turned.any() and (np.sign(step[:, :-1]) != np.sign(step[:, 1:])).any(1).mean() > 0.15
    quiet = (~turned.any((1, 2))) & (np.sign(step) == np.sign(step[:, :1])).all((1, 2))
    velocity = np.linalg.norm(step[quiet].mean(1), axis=1)
    assert quiet.sum() > 3 and velocity.min() > 0.95 and velocity.max() < 3.05


def test_paths_are_reflections_computed_apart():
    source = MovingDigits(count=40, past=12, size=40, part="all")
    which, start, velocity = (one.numpy() for one in source._drawn())
    x, _ = frames(12, count=40, size=40)
    digits = Digits().open().read(torch.arange(5000))[:, 0].numpy().astype(float)
    for i in range(40):
        rows, columns = np.nonzero(digits[which[i, 0]])
        glyph = digits[which[i, 0]][rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        place = start[i, 0] * (40 - np.array(glyph.shape))
        v, room = velocity[i, 0].copy(), 40 - np.array(glyph.shape)
        assert 1 <= np.hypot(*v) <= 3
        for t in range(13):
            off = centres(x[i : i + 1, t : t + 1]) - place - centres(glyph[None, None])
            assert np.abs(off).max() < 0.05
            assert np.abs(x[i, t].sum() / glyph.sum() - 1) < 0.02, "no ink leaves the frame"
            place = place + v
            for axis in (0, 1):
                if not 0 <= place[axis] <= room[axis]:
                    place[axis] = -place[axis] if place[axis] < 0 else 2 * room[axis] - place[axis]
                    v[axis] = -v[axis]


def test_a_whole_step_shows_the_digit_itself():
    source = MovingDigits(count=1, past=1, part="all")
    from zerosum.data.pairs.moving_digits import _rendered, _trimmed

    glyphs, sizes = _trimmed()
    assert glyphs.sum() == Digits().open().read(torch.arange(5000)).sum() and sizes.max() == 20
    image = _rendered(glyphs[:1, None], torch.tensor([[[[3.0, 7.0]]]]).double(), 32)[0, 0, 0]
    assert torch.equal(image[3:23, 7:27], glyphs[0]) and image.sum() == glyphs[0].sum()
    assert source.labels().shape == (1, 1)


def test_a_clip_depends_on_its_seed_and_index_alone():
    (few, data), (many, _), (other, _) = frames(3, count=5), frames(3, count=90), frames(3, count=5, seed=1)
    assert np.array_equal(few, many[:5]) and not np.array_equal(few, other)
    source = MovingDigits(count=90, digits=2, part="all")
    labels = source.labels()
    assert labels.shape == (90, 2) and torch.equal(labels[:5], MovingDigits(count=5, digits=2).labels())
    assert {*labels.flatten().tolist()} == set(range(10))
    two, _ = frames(3, count=90, digits=2)
    assert two.shape == (90, 4, 32, 32) and (two > 0).sum() > 1.4 * (many > 0).sum()
    assert data.condition.shape == (3, 32, 32) and data.shape == (1, 32, 32)
    assert MovingDigits(count=50, future=2, part="all").open().shape == (2, 32, 32)


def test_clips_are_held_out_by_their_index():
    train, test = (MovingDigits(count=200, part=part).open() for part in ("train", "test"))
    assert len(train) + len(test) == 200 and 8 <= len(test) <= 35
    whole = MovingDigits(count=200, part="all").open()
    places = torch.tensor([int(test.named(i)) for i in range(len(test))])
    assert torch.equal(test.read(torch.arange(len(test))), whole.read(places))
    assert torch.equal(test.conditions.of(torch.arange(len(test))), whole.conditions.of(places))
    assert torch.equal(train.condition.examples, test.condition.examples)
    assert train.condition.truths.shape[1:] == (1, 32, 32)
    assert fingerprint(train) != fingerprint(test) != fingerprint(MovingDigits(count=200, past=3, part="test").open())


def test_impossible_motions_are_refused():
    with pytest.raises(ValueError, match="needs count, past, future and digits >= 1"):
        MovingDigits(past=0)
    with pytest.raises(ValueError, match="needs size >= 28"):
        MovingDigits(size=20)
    with pytest.raises(ValueError, match="needs part to be train, test, all"):
        MovingDigits(part="none")
    with pytest.raises(ValueError, match="needs a size of at most"):
        MovingDigits(count=10**12)
