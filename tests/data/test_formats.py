"""Formats of image files: what is read, in which order classes are, and what a note says."""

import io
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image

from zerosum.data.inspect import check
from zerosum.data.sources.arrays import ArraySource
from zerosum.data.sources.folders import Images

COLOUR = np.random.default_rng(0).integers(0, 255, (6, 8, 3), np.uint8)
GREY = COLOUR[..., 0]


def only(folder):
    data = Images(str(folder)).open()
    return data, data.read(torch.arange(data.count)).numpy()


@pytest.mark.parametrize("suffix", [".bmp", ".tif", ".TIFF", ".gif"])
def test_further_formats_are_read(tmp_path, suffix):
    image = GREY if suffix == ".gif" else COLOUR
    Image.fromarray(image).save(tmp_path / f"x{suffix}")
    data, x = only(tmp_path)
    assert data.notes == () and np.array_equal(x[0], image[None] if suffix == ".gif" else image.transpose(2, 0, 1))
    report = check(tmp_path)
    assert (report.checked, report.broken) == (1, ())
    whole = (tmp_path / f"x{suffix}").read_bytes()
    (tmp_path / f"x{suffix}").write_bytes(whole[: len(whole) // 2])
    assert len(check(tmp_path).broken) == 1


def test_of_several_frames_or_pages_the_first_is_used_with_a_note(tmp_path):
    pages = [Image.fromarray(image) for image in (GREY, 255 - GREY)]
    pages[0].save(tmp_path / "a.gif", save_all=True, append_images=pages[1:])
    pages[0].save(tmp_path / "b.tif", save_all=True, append_images=pages[1:])
    pages[0].save(tmp_path / "c.png")
    data, x = only(tmp_path)
    assert np.array_equal(x[:, 0], np.stack([GREY] * 3))
    assert data.notes == ("2 of the images have several frames or pages, of which the first is used",)


def test_a_tiff_is_turned_as_its_orientation_says(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(GREY).save(tmp_path / "x.tif", exif=exif)
    data, x = only(tmp_path)
    assert data.shape == (1, 8, 6) and np.array_equal(x[0, 0], np.rot90(GREY, -1))


@pytest.mark.parametrize("dtype", [np.float32, np.int32])
def test_32_bits_per_pixel_are_refused(tmp_path, dtype):
    Image.fromarray(GREY.astype(dtype)).save(tmp_path / "x.tif")
    with pytest.raises(ValueError, match=r"x\.tif has 32 bits per pixel: save it with 8 or 16: replace it by one"):
        Images(str(tmp_path)).open()


@pytest.mark.parametrize(("bits", "noted"), [(10, True), (12, True), (14, True), (16, False)])
def test_few_bits_of_16_are_noted(tmp_path, bits, noted):
    wide = np.linspace(0, 2**bits - 1, 48).reshape(6, 8).astype(np.uint16)
    for name in ("0.png", "1.png", "2.tif"):
        Image.fromarray(wide).save(tmp_path / name)
    Image.fromarray(GREY).save(tmp_path / "8-bit.png")
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for name in ("0.png", "1.png", "2.tif", "8-bit.png"):
            archive.write(tmp_path / name, name)
    notes = Images(str(tmp_path / "x.zip")).open().notes
    assert len(notes) == noted
    if noted:
        assert f"no value above {2**bits - 1:,} of 65,535 (in 3 inspected), so they are nearly black" in notes[0]
        assert notes[0].endswith(f"if their values have {bits} bits, multiply them by {2 ** (16 - bits):,}")


def test_classes_that_are_numbers_are_in_the_order_of_numbers(tmp_path):
    for name in ("10", "9", "1", "2"):
        (tmp_path / name).mkdir()
        Image.fromarray(np.full((4, 4), int(name), np.uint8)).save(tmp_path / name / "x.png")
    data, x = only(tmp_path)
    assert data.classes == ("1", "2", "9", "10")
    assert [int(data.classes[label]) for label in data.labels] == x[:, 0, 0, 0].tolist()


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (["10", "9", "-1", "0.5"], ("-1", "0.5", "9", "10")),
        (["b10", "b9"], ("b10", "b9")),
        (["10", "9", "x"], ("10", "9", "x")),
        (["01", "1", "0"], ("0", "01", "1")),
        ([10, 9, 2], ("2", "9", "10")),
    ],
)
def test_labels_are_sorted_as_numbers_where_all_are(labels, classes):
    data = ArraySource(np.zeros((len(labels), 4, 4), np.uint8), np.array(labels)).open()
    assert data.classes == classes
    assert [classes[label] for label in data.labels] == [str(label) for label in labels]


def test_a_png_made_of_gif_bytes_is_read_by_its_content(tmp_path):
    out = io.BytesIO()
    Image.fromarray(GREY).save(out, "GIF")
    (tmp_path / "x.png").write_bytes(out.getvalue())
    assert np.array_equal(only(tmp_path)[1][0, 0], GREY)
