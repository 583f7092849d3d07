"""Image files as pixels of the shape of samples, and drawings with what of them is drawn."""

import numpy as np
import pytest
from PIL import Image

from zerosum._outputs import sheet_exif
from zerosum.data.image_files import files_in, read_drawing, read_fitted

DRAW = np.random.default_rng(0)


def test_files_of_a_folder_are_those_of_a_data_set(tmp_path):
    (tmp_path / "b").mkdir()
    for name in ("b/c.png", "a.PNG", ".hidden.png"):
        Image.new("L", (8, 8)).save(tmp_path / name)
    Image.new("L", (8, 8)).save(tmp_path / "sheet.png", exif=sheet_exif())
    (tmp_path / "notes.txt").touch()
    assert files_in(tmp_path) == [tmp_path / "a.PNG", tmp_path / "b" / "c.png"]
    with pytest.raises(ValueError, match=r"has no images \(\.png, .*\): it is empty"):
        (tmp_path / "none").mkdir()
        files_in(tmp_path / "none")


def test_an_image_covers_the_shape_and_its_centre_is_kept(tmp_path):
    colours = np.zeros((8, 24, 3), np.uint8)
    colours[:, 8:16] = (200, 100, 0)
    Image.fromarray(colours).save(tmp_path / "a.png")
    assert (read_fitted(tmp_path / "a.png", (3, 8, 8)) == (200, 100, 0)).all()
    grey = read_fitted(tmp_path / "a.png", (1, 4, 4))
    # Luma of ITU-R 601; the outer columns have a little of their black neighbours, as resizing is before cropping.
    assert grey.shape == (4, 4, 1) and (abs(grey[:, 1:3].astype(int) - 118) <= 1).all()


def test_a_file_of_the_shape_is_read_as_it_is(tmp_path):
    pixels = DRAW.integers(0, 256, (9, 8), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    assert np.array_equal(read_fitted(tmp_path / "a.png", (1, 9, 8))[..., 0], pixels)
    assert np.array_equal(read_fitted(tmp_path / "a.png", (3, 9, 8)), pixels[..., None].repeat(3, 2))


def test_a_drawing_has_its_colours_where_it_is_drawn(tmp_path):
    """Pixels that are not drawn have no share in the colour of their neighbours."""
    layers = np.zeros((8, 8, 4), np.uint8)
    layers[..., :3] = 255
    layers[:, :3] = (200, 100, 0, 255)
    layers[:2, :3, 3] = 102
    Image.fromarray(layers).save(tmp_path / "a.png")
    colours, weights = read_drawing(tmp_path / "a.png", (3, 4, 4))
    assert weights.dtype == np.float32 and weights[1:] == pytest.approx(np.tile([1, 0.5, 0, 0], (3, 1)), abs=1 / 255)
    assert weights[0] == pytest.approx([0.4, 0.2, 0, 0], abs=1 / 255)
    assert (abs(colours[:, :2].astype(int) - (200, 100, 0)) <= 3).all()
    grey, same = read_drawing(tmp_path / "a.png", (1, 4, 4))
    assert grey.shape == (4, 4, 1) and (abs(grey[:, :2].astype(int) - 118) <= 2).all() and np.array_equal(same, weights)


def test_what_is_no_drawing_is_one_sentence(tmp_path):
    for name, alpha in (("full.png", 255), ("empty.png", 0)):
        Image.new("LA", (8, 8), (7, alpha)).save(tmp_path / name)
    Image.new("L", (8, 8)).save(tmp_path / "grey.png")
    for name, sentence in (
        ("full.png", "has no transparent pixels: transparency says which pixels are not drawn"),
        ("grey.png", "has no transparent pixels"),
        ("empty.png", "is transparent throughout: nothing is drawn"),
        ("none.png", "is not a file"),
    ):
        with pytest.raises(ValueError, match=sentence):
            read_drawing(tmp_path / name, (1, 8, 8))
    with pytest.raises(ValueError, match=r"does not fit samples \(2, 8, 8\): only images with 1 or 3 channels"):
        read_fitted(tmp_path / "grey.png", (2, 8, 8))
