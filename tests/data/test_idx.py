"""IDX files against bytes written by hand, and hostile ones."""

import gzip
import struct

import numpy as np
import pytest
import torch

from zerosum.data.resolve import source
from zerosum.data.sources.idx import Idx
from zerosum.recipes.reader import read

IMAGES = np.arange(3 * 8 * 9, dtype=np.uint8).reshape(3, 8, 9)
LABELS = np.array([7, 2, 7], np.uint8)


def idx(array, code=0x08, shape=None):
    """The bytes of an IDX file, by the format's description."""
    shape = array.shape if shape is None else shape
    return bytes([0, 0, code, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + array.tobytes()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx(IMAGES))
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(LABELS)))
    (tmp_path / "t10k-images.idx3-ubyte.gz").write_bytes(gzip.compress(idx(IMAGES[:2])))
    return tmp_path


def check(data):
    assert data.shape == (1, 8, 9) and data.count == 3
    assert np.array_equal(data.read(torch.arange(3)).numpy(), IMAGES[:, None])
    assert data.classes == ("2", "7") and data.labels.tolist() == [1, 0, 1]


def test_images_and_labels_are_those_of_the_files(folder):
    made = Idx(folder / "train-images-idx3-ubyte", folder / "train-labels-idx1-ubyte.gz")
    check(made.open())
    assert read(repr(made)) == made
    assert Idx(str(folder / "train-images-idx3-ubyte")).open().labels is None


def test_a_path_by_the_published_names_becomes_the_source(folder):
    check(source(folder).open())
    check(source(folder / "train-images-idx3-ubyte").open())
    found = source(str(folder / "t10k-images.idx3-ubyte.gz"))
    assert found == Idx(str(folder / "t10k-images.idx3-ubyte.gz")) and found.open().count == 2


def test_numbers_of_all_types_come_in_the_machines_order(tmp_path):
    values = np.linspace(0, 1, 3 * 8 * 9).reshape(3, 8, 9)
    for code, kind in {0x0D: ">f4", 0x0E: ">f8"}.items():
        (tmp_path / "images").write_bytes(idx(values.astype(kind), code))
        pixels = Idx(str(tmp_path / "images")).open().read(torch.arange(3)).numpy()[:, 0]
        np.testing.assert_allclose(pixels, values * 255, atol=0.51)
    for code, kind in {0x0B: ">i2", 0x0C: ">i4"}.items():
        (tmp_path / "images").write_bytes(idx(IMAGES.astype(kind), code))
        assert np.array_equal(Idx(str(tmp_path / "images")).open().read(torch.arange(3)).numpy()[:, 0], IMAGES)


WHOLE = idx(IMAGES)
BROKEN = {
    "empty": (b"", r"is not an IDX file: .* found nothing"),
    "text": (b"<html>not found</html>", r"is not an IDX file: it should begin with two zero bytes.* found 3c 68 74 6d"),
    "type": (bytes([0, 0, 7, 3]) + WHOLE[4:], "is not an IDX file"),
    "axes": (bytes([0, 0, 8, 200]) + WHOLE[4:], "is not an IDX file"),
    "header": (WHOLE[:9], "ends within its header: download it again"),
    "cut off": (WHOLE[:-1], "declares 216 bytes of numbers, but has 215: download it again"),
    "longer": (WHOLE + b"x", "declares 216 bytes of numbers, but has more: download it again"),
    "huge": (idx(IMAGES, shape=(2**32 - 1, 2**32 - 1, 2**32 - 1)), r"declares 79,\d.* bytes"),
    "labels": (idx(LABELS), r"should have images \(N, H, W\), but has an array of shape \(3,\)"),
    "nothing": (idx(IMAGES[:0]), r"should have at least one sample \(N, ...\)"),
}


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
@pytest.mark.parametrize(("content", "message"), BROKEN.values(), ids=BROKEN)
def test_what_is_broken_or_hostile_is_refused(tmp_path, content, message, packed):
    path = tmp_path / ("images.gz" if packed else "images")
    path.write_bytes(gzip.compress(content) if packed else content)
    with pytest.raises(ValueError, match=message):
        Idx(str(path)).open()


def test_what_a_file_cannot_hold_is_refused_before_it_is_unpacked(tmp_path):
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(idx(IMAGES, shape=(1000, 1000, 1000))))
    with pytest.raises(
        ValueError, match=r"declares 1,000,000,000 bytes of numbers, which its \d+ bytes cannot contain"
    ):
        Idx(str(path)).open()
    path.write_bytes(gzip.compress(idx(IMAGES, shape=(5000, 1000, 1000))))
    with pytest.raises(ValueError, match=r"declares 5,000,000,000 bytes, above 4,294,967,296 for a .gz file"):
        Idx(str(path)).open()


def test_a_damaged_gz_and_labels_of_another_count_are_refused(folder):
    packed = gzip.compress(WHOLE)
    for content in (packed[:-9], packed[:12] + b"\xff\xff" + packed[14:], b"plain text"):
        (folder / "images.gz").write_bytes(content)
        with pytest.raises(ValueError, match="is damaged or cannot be read"):
            Idx(str(folder / "images.gz")).open()
    (folder / "other").write_bytes(idx(LABELS[:2]))
    with pytest.raises(ValueError, match=r"has 3 samples, but labels of shape \(2,\)"):
        Idx(str(folder / "train-images-idx3-ubyte"), str(folder / "other")).open()
