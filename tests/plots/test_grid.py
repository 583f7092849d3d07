import numpy as np
import pytest

from zerosum.plots.grids import grid


def random_images(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def test_every_image_is_found_where_it_belongs():
    images = random_images(7, 4, 6, 3)
    sheet = np.array(grid(images, columns=3, gap=2, scale=2))
    assert sheet.shape == (3 * (8 + 2) + 2, 3 * (12 + 2) + 2, 3)
    painted = np.zeros(sheet.shape[:2], dtype=bool)
    for number, image in enumerate(images):
        top, left = 2 + (number // 3) * 10, 2 + (number % 3) * 14
        cell = sheet[top : top + 8, left : left + 12]
        assert np.array_equal(cell[::2, ::2], image)
        assert np.array_equal(cell[1::2, 1::2], image)
        painted[top : top + 8, left : left + 12] = True
    assert (sheet[~painted] == 255).all()


def test_shape_is_about_square_and_cells_are_large_enough_to_see():
    assert grid(random_images(10, 28, 28, 1)).size == (4 * 58 + 2, 3 * 58 + 2)
    assert grid(random_images(1, 16, 8, 1), gap=0).size == (8 * 4, 16 * 4)
    assert grid(random_images(1, 3, 64, 1), gap=0).size == (64, 3)


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5])
def test_any_channel_count_is_shown(channels):
    images = random_images(1, 60, 60, channels)
    shown = np.array(grid(images, gap=0))
    if channels < 3:
        assert np.array_equal(shown, images[0, :, :, 0])
    elif channels == 4:
        alpha = images[0, :, :, 3:] / 255
        assert np.abs(shown - (images[0, :, :, :3] * alpha + 255 * (1 - alpha))).max() <= 0.51
    else:
        assert np.array_equal(shown, images[0, :, :, :3])


def test_row_labels_stand_in_a_margin_beside_their_rows():
    images = random_images(6, 28, 28, 1)
    plain, labelled = grid(images, columns=2), grid(images, columns=2, row_labels=["seven", "i", "eleven"])
    margin = labelled.width - plain.width
    assert np.array_equal(np.array(labelled)[:, margin:], np.array(plain))
    ink = np.array(labelled)[:, :margin] < 128
    rows = [ink[row * 58 : (row + 1) * 58].sum() for row in range(3)]
    assert rows[1] < rows[0] < rows[2]
    assert rows[1] > 0
    assert not ink[:, :2].any()


@pytest.mark.parametrize(
    "images",
    [np.zeros((2, 4, 4), np.uint8), np.zeros((2, 4, 4, 1)), np.zeros((0, 4, 4, 1), np.uint8)],
)
def test_other_arrays_are_refused(images):
    with pytest.raises(ValueError, match=r"a grid takes uint8 images \(N, H, W, C\), at least one, not"):
        grid(images)


@pytest.mark.parametrize("bad", [{"columns": 0}, {"scale": 0}, {"gap": -1}])
def test_numbers_that_make_no_grid_are_refused(bad):
    with pytest.raises(ValueError, match="a grid needs columns >= 1, scale >= 1 and gap >= 0, not"):
        grid(random_images(2, 4, 4, 1), **bad)


def test_row_labels_of_another_count_are_refused():
    with pytest.raises(ValueError, match="a grid of 2 rows needs 2 row labels or none, not 1"):
        grid(random_images(4, 4, 4, 1), columns=2, row_labels=["one"])
