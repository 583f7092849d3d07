"""A packed set that was harmed or made to mislead is refused in one sentence."""

import json
import shutil

import numpy as np
import pytest

from zerosum.data.inspect import check
from zerosum.data.sources import packing
from zerosum.data.sources.arrays import ArraySource
from zerosum.data.sources.packed import PackedSet
from zerosum.data.sources.packing import pack

IMAGES = np.random.default_rng(0).integers(0, 256, (50, 6, 8, 3), dtype=np.uint8)


@pytest.fixture
def packed(tmp_path, monkeypatch):
    """A packed set of eight files of seven images and fewer."""
    monkeypatch.setattr(packing, "_SHARD", 7 * IMAGES[0].nbytes)
    pack(ArraySource(IMAGES, np.arange(50) % 3), tmp_path / "out")
    return tmp_path / "out"


def change(packed, changes):
    facts = json.loads((packed / "packed.json").read_text())
    (packed / "packed.json").write_text(json.dumps({**facts, **changes}))


def test_what_was_changed_or_lost_is_found(packed):
    assert check(packed).broken == () and check(packed).checked == 50
    raw = bytearray((packed / "samples-00003.bin").read_bytes())
    raw[-1] ^= 1
    (packed / "samples-00003.bin").write_bytes(raw)
    (found,) = check(str(packed)).broken
    assert found.file.endswith("samples-00003.bin")
    assert found.reason == "does not have the SHA-256 of the manifest: pack the data again"
    (packed / "labels.bin").write_bytes(b"123")
    with pytest.raises(ValueError, match=r"labels.bin should have 400 bytes, but has 3: pack the data again"):
        PackedSet(packed).open()
    (packed / "labels.bin").unlink()
    with pytest.raises(ValueError, match=r"labels.bin cannot be read \(No such file or directory\): pack the data"):
        PackedSet(packed).open()
    assert "labels.bin cannot be read" in check(packed).broken[0].reason


def test_a_file_that_cannot_be_read_is_reported_by_check(packed, monkeypatch):
    def refused(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("zerosum.data.sources.packed.file_hash", refused)
    assert check(packed).broken[0].reason == "cannot be read (Permission denied): pack the data again"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"format": "other 1"}, "it is not of the format 'zerosum packed 1'"),
        ({"name": 3}, "a name in it is not a string"),
        ({"classes": "abc"}, "its classes, entries or notes are not lists of strings"),
        ({"notes": [1]}, "its classes, entries or notes are not lists of strings"),
        ({"shape": [3, 0, 8]}, r"its shape should be integers from 1 to 65536, but is \[3, 0, 8\]"),
        ({"shape": [3, -6, -8]}, "its shape should be integers"),
        ({"shape": [3, 1e3, True]}, "its shape should be integers"),
        ({"shape": [3, 1 << 40, 8]}, "its shape should be integers"),
        ({"shape": "3,6,8"}, "its shape should be integers"),
        ({"shape": [6, 8]}, r"its samples should be uint8 images \(C, H, W\) or float32 or float64 points \(d,\)"),
        ({"kind": "object"}, "its samples should be uint8 images"),
        ({"precision": "S100"}, "its samples should be uint8 images"),
        ({"count": 0}, "its counts should be integers of at least 1"),
        ({"count": 1 << 60}, "its counts should be integers"),
        ({"rows": 1.5}, "its counts should be integers"),
        ({"count": 10**6, "rows": 1}, "it declares more than 1,000 files"),
        ({"sha256": {"../../passwords": "a"}}, "its list of files does not match its layout"),
        ({"sha256": ["samples-00000.bin"]}, "its checksums are not strings"),
        ({"sha256": {"samples-00000.bin": 1}}, "its checksums are not strings"),
    ],
    ids=str,
)
def test_a_manifest_made_to_mislead_is_refused(packed, changes, reason):
    change(packed, changes)
    with pytest.raises(ValueError, match=rf"out is not a packed set, as its packed.json cannot be used: {reason}"):
        PackedSet(packed).open()
    assert len(check(packed).broken) == 1


WRONG = [{"count": 49}, {"shape": [3, 6, 9]}, {"shape": [60_000] * 3}, {"count": 1 << 40, "rows": 1 << 40}]


@pytest.mark.parametrize("changes", WRONG, ids=str)
def test_sizes_that_the_files_do_not_have_are_refused(packed, changes):
    change(packed, changes)
    with pytest.raises(ValueError, match=r"should have [\d,]+ bytes, but has|its list of files does not match"):
        PackedSet(packed).open()


@pytest.mark.parametrize("text", [b"", b"\xff\xfe", b"[" * 100_000, b"{}", b"[1]"])
def test_a_manifest_that_is_none_is_refused(packed, text):
    (packed / "packed.json").write_bytes(text)
    with pytest.raises(ValueError, match=r"out is not a packed set, as its packed.json cannot be used: "):
        PackedSet(packed).open()


def test_manifests_without_end_and_links_are_refused(packed, monkeypatch):
    shutil.move(packed / "samples-00002.bin", packed.parent / "elsewhere")
    (packed / "samples-00002.bin").symlink_to(packed.parent / "elsewhere")
    with pytest.raises(ValueError, match=r"samples-00002.bin is a link or not a regular file: a packed set"):
        PackedSet(packed).open()
    monkeypatch.setattr("zerosum.data.sources._manifest._MOST_MANIFEST", 1 << 20)
    with (packed / "packed.json").open("ab") as file:
        file.truncate((1 << 20) + 1)
    with pytest.raises(ValueError, match=r"cannot be used: it is larger than 1 MiB"):
        PackedSet(packed).open()
    with pytest.raises(ValueError, match=r"is not a packed set, as its packed.json cannot be used: .*No such file"):
        PackedSet(packed.parent).open()


def test_labels_out_of_range_are_refused(packed):
    np.full(50, 3, np.int64).tofile(packed / "labels.bin")
    with pytest.raises(ValueError, match=r"the labels of array should lie in 0\.\.2"):
        PackedSet(packed).open()
