import math

import numpy as np
import pytest
import torch

from zerosum.evaluation.sanity.distortions import (
    black_rectangles,
    contaminated,
    fewer,
    gaussian_blur,
    gaussian_noise,
    memorised,
    modes_dropped,
    repeated,
    salt_and_pepper,
    swirl,
)

IMAGE_DISTORTIONS = [gaussian_noise, gaussian_blur, black_rectangles, swirl, salt_and_pepper]
RANDOM = [gaussian_noise, black_rectangles, salt_and_pepper]
X = torch.randint(256, (12, 24, 20, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
SMOOTH = torch.nn.functional.interpolate(torch.rand(6, 1, 4, 4, generator=torch.Generator().manual_seed(1)), (32, 32))
OTHER, LABELS = 255 - X[:5], torch.arange(12) % 4
SET_DISTORTIONS = [
    lambda x, a, seed=0: contaminated(x, a, seed, other=OTHER),
    lambda x, a, seed=0: memorised(x, a, seed, train=OTHER),
    lambda x, a, seed=0: modes_dropped(x, a, seed, labels=LABELS),
    repeated,
    fewer,
]
each = pytest.mark.parametrize("distort", IMAGE_DISTORTIONS, ids=lambda one: one.__name__)


@pytest.mark.parametrize("distort", [*IMAGE_DISTORTIONS, *SET_DISTORTIONS])
def test_strength_0_is_the_identity_and_inputs_are_not_modified(distort):
    before = X.clone()
    for strength in (0, 0.0, 1.0):
        found = distort(X, strength)
        assert found.dtype == torch.uint8 and torch.equal(X, before)
        assert torch.equal(found, X) == (not strength)
        found[:] = 0
        assert torch.equal(X, before), "the result is not a view of the input"


@each
def test_the_distance_to_the_image_grows_with_the_strength(distort):
    x = (SMOOTH * 255).byte().permute(0, 2, 3, 1)
    away = [(distort(x, a).double() - x).square().mean() for a in (0, 0.25, 0.5, 0.75, 1)]
    assert away[0] == 0 and sorted(away) == away and away[1] > 1


@each
def test_images_are_distorted_independently(distort):
    whole = distort(X, 0.6, 3)
    assert torch.equal(distort(X[:4], 0.6, 3), whole[:4]) and torch.equal(distort(X, 0.6, 3), whole)
    grey = distort(X[..., :1], 0.6, 3)
    assert grey.shape == (12, 24, 20, 1)
    assert distort is gaussian_noise or torch.equal(whole[..., :1], grey)


@pytest.mark.parametrize("distort", [*RANDOM, *SET_DISTORTIONS])
def test_another_seed_gives_another_distortion(distort):
    assert not torch.equal(distort(X, 0.5, 0), distort(X, 0.5, 1))


def test_noise_is_a_mixture():
    x = torch.full((4, 64, 64, 1), 200, dtype=torch.uint8)
    for strength in (0.2, 1.0):
        found = gaussian_noise(x, strength).double()
        share = 0.75 * strength
        assert abs(found.mean() - ((1 - share) * 200 + share * 127.5)) < 2
        assert abs(found.std() - share * 63.75) < 3  # slightly less, since noise is clipped


def test_blur_is_a_normalised_gaussian():
    spot = torch.zeros(1, 65, 65, 1, dtype=torch.uint8)
    spot[0, 32, 32] = 255
    wide = torch.full_like(spot, 0)
    wide[0, 24:41, 24:41] = 255
    std = 65 / 16 * 0.5
    found = gaussian_blur(wide, 0.5)[0, :, :, 0].numpy()
    line = np.array([255 * sum(weight(i - j, std) for j in range(24, 41)) / 255 for i in range(65)])
    assert np.abs(found - 255 * np.outer(line, line)).max() <= 0.51 + 0.05
    assert abs(float(gaussian_blur(X, 1.0).double().mean()) - float(X.double().mean())) < 4


def weight(offset, std):
    """A Gaussian's share at an offset, normalised over whole offsets."""
    return math.exp(-(offset**2) / 2 / std**2) / sum(math.exp(-(k**2) / 2 / std**2) for k in range(-60, 61))


def test_blur_and_swirl_do_not_change_flat_images():
    flat = torch.full((2, 9, 30, 3), 77, dtype=torch.uint8)
    assert torch.equal(gaussian_blur(flat, 1.0), flat) and torch.equal(swirl(flat, 1.0), flat)


def test_rectangles_are_five_and_black_and_of_the_right_size():
    x = torch.full((200, 64, 40, 3), 255, dtype=torch.uint8)
    found = black_rectangles(x, 0.25)
    assert set(found.unique().tolist()) == {0, 255} and (found == found[..., :1]).all()
    dark = (found[..., 0] == 0).sum((1, 2)).double()
    assert dark.max() == 5 * 8 * 5 and dark.min() >= 8 * 5 and dark.mean() > 3 * 8 * 5
    share = (found[..., 0] == 0).double().mean(0)
    assert min(edge.max() for edge in (share[0], share[-1], share[:, 0], share[:, -1])) > 0, "up to the edges"


def test_swirl_rotates_the_centre_and_not_the_edge():
    size = 33
    y, x = np.mgrid[:size, :size] - 16.0
    wave = 127.5 + 100 * np.sin(x / 4) * np.cos(y / 5)
    image = torch.from_numpy(wave.round()).byte()[None, :, :, None]
    found = swirl(image, 0.5)[0, :, :, 0].double().numpy()
    distance = np.hypot(x, y)
    angle = np.arctan2(y, x) + 2 * np.exp(-5 * distance / (np.log(2) * 0.4 * size))
    truth = 127.5 + 100 * np.sin(distance * np.cos(angle) / 4) * np.cos(distance * np.sin(angle) / 5)
    assert np.abs(found - truth).max() < 3, "up to rounding and interpolation"
    assert np.abs(found - image[0, :, :, 0].double().numpy())[0].max() <= 1


def test_salt_is_as_much_as_pepper_and_takes_whole_pixels():
    x = torch.full((30, 40, 40, 3), 100, dtype=torch.uint8)
    found = salt_and_pepper(x, 0.5)
    assert (found == found[..., :1]).all()
    for value in (0, 255):
        assert abs((found == value).double().mean() - 0.075) < 0.004
    more = salt_and_pepper(x, 0.8)
    assert ((found == 100) | (more != 100)).all(), "pixels changed at a low strength also change at a higher one"


def test_contamination_replaces_a_share_of_rows_by_the_other_set():
    ours, theirs = torch.arange(100), 1_000 + torch.arange(300)
    last = set()
    for strength in (0, 0.25, 0.5, 1.0):
        found = contaminated(ours, strength, other=theirs)
        foreign = found >= 1_000
        assert foreign.sum() == 100 * strength and torch.equal(found[~foreign], ours[~foreign])
        assert len(found[foreign].unique()) == foreign.sum(), "no repetitions if the other set is large enough"
        now = {*foreign.nonzero()[:, 0].tolist()}
        assert last <= now
        last = now
    few = contaminated(ours, 1.0, other=theirs[:30])
    assert set(few.tolist()) == set(range(1_000, 1_030)) and few.bincount(minlength=1_030)[1_000:].max() == 4
    assert torch.equal(memorised(ours, 0.3, 5, train=theirs), contaminated(ours, 0.3, 5, other=theirs))


def test_modes_are_dropped_by_class_and_one_remains():
    rows, labels = torch.arange(90), torch.arange(90) % 9
    last = set(range(9))
    for strength, classes in ((0, 9), (1 / 3, 6), (0.5, 5), (1.0, 1)):
        found = modes_dropped(rows, strength, labels=labels)
        left = {*(found % 9).tolist()}
        assert len(left) == classes and left <= last and len(found) == 90
        stayed = torch.isin(labels, torch.tensor([*left]))
        assert torch.equal(found[stayed], rows[stayed])
        last = left


def test_repetition_reduces_the_number_of_distinct_rows():
    rows = torch.arange(100)
    assert [len(repeated(rows, a).unique()) for a in (0, 0.25, 0.9, 1)] == [100, 75, 10, 1]
    counts = repeated(rows, 0.9).bincount()
    assert counts[counts > 0].tolist() == [10] * 10
    assert torch.equal(repeated(rows, 0.5)[repeated(rows, 0.5) == rows].sort().values, repeated(rows, 0.5).unique())


def test_fewer_keeps_at_least_two_rows_in_order():
    rows = torch.arange(640)
    assert [len(fewer(rows, a)) for a in (0, 0.2, 0.4, 1)] == [640, 320, 160, 20]
    assert set(fewer(rows, 0.4).tolist()) <= set(fewer(rows, 0.2).tolist()) and len(fewer(rows[:9], 1)) == 2
    assert torch.equal(fewer(rows, 0.2), fewer(rows, 0.2).sort().values) and len(fewer(rows[:1], 1)) == 1


@pytest.mark.parametrize("distort", SET_DISTORTIONS)
def test_set_distortions_commute_with_features(distort):
    if distort in SET_DISTORTIONS[:2]:
        return
    features = X.float().mean((1, 2))
    assert torch.equal(distort(X, 0.5, 2).float().mean((1, 2)), distort(features, 0.5, 2))


def test_refusals():
    for strength in (-0.1, 1.1, math.nan):
        with pytest.raises(ValueError, match="strength should be between 0 \\(no distortion\\) and 1; found"):
            swirl(X, strength)
    with pytest.raises(ValueError, match=r"images to distort should be uint8 \(B, H, W, C\); found torch.float32"):
        gaussian_noise(X.float(), 0.5)
    with pytest.raises(ValueError, match=r"a distortion needs at least one row; found \(0, 3\)"):
        repeated(torch.zeros(0, 3), 0.5)
    with pytest.raises(ValueError, match=r"rows of the same shape \(24, 20, 3\); found \(5, 24, 20, 1\)"):
        contaminated(X, 0.5, other=OTHER[..., :1])
    with pytest.raises(ValueError, match=r"labels should be int64 \(12,\), the class of each row; found \(3,\)"):
        modes_dropped(X, 0.5, labels=LABELS[:3])
