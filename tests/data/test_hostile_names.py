"""Names and archives that are made to mislead: refused, shown as they are, or bounded."""

import io
import os
import socket
import struct
import zipfile
import zlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from benchmarks.robustness.malformed_images import saved
from PIL import Image

from zerosum.data._paths import existing, printable
from zerosum.data.inspect import check
from zerosum.data.sources import _files
from zerosum.data.sources._files import image_files
from zerosum.data.sources.arrays import Arrays
from zerosum.data.sources.folders import Images

PIXELS = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
PNG = saved(Image.fromarray(PIXELS), "PNG")


def zip_of(path, files, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return path


def edited(path, at, form, *values):
    """Change numbers in the last entry of a zip's directory."""
    content = bytearray(path.read_bytes())
    struct.pack_into(form, content, content.rindex(b"PK\x01\x02") + at, *values)
    path.write_bytes(content)
    return str(path)


def sentence(source):
    """Why a source cannot be used."""
    with pytest.raises(ValueError) as caught:
        data = source.open()
        data.read(torch.arange(len(data)))
    return str(caught.value)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_a_zip_holds_twice_is_refused(tmp_path):
    path = zip_of(tmp_path / "a.zip", [("x.png", PNG), ("y.png", PNG), ("x.png", PNG)])
    with pytest.raises(ValueError, match=r"a.zip contains 'x.png' 2 times: zip the files again"):
        image_files(path)


def test_files_that_overlap_in_a_zip_are_refused(tmp_path):
    path = zip_of(tmp_path / "a.zip", [("x.png", PNG), ("y.png", PNG)])
    with pytest.raises(ValueError, match=r"a.zip has overlapping files, such as '[xy].png': zip the files again"):
        image_files(edited(path, 42, "<I", 0))


@pytest.mark.parametrize("name", ["C:\\up.png", "\\\\server\\share\\up.png", "..\\up.png", "//up.png"])
def test_paths_of_other_systems_that_lead_out_are_refused(tmp_path, name):
    with pytest.raises(ValueError, match="which leaves the archive: zip the files again"):
        image_files(zip_of(tmp_path / "a.zip", [("x.png", PNG), (name, PNG)]))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_unfold_without_bound_are_refused(tmp_path, method):
    path = zip_of(tmp_path / "a.zip", [("x.png", PNG)], method)
    assert "x.png uses a compression method other than deflate: replace" in sentence(Images(str(path)))


def test_a_file_that_unfolds_to_more_than_the_zip_says_is_read_no_further(tmp_path, monkeypatch):
    monkeypatch.setattr(_files, "MOST_BYTES", 1 << 20)
    path = zip_of(tmp_path / "a.zip", [("x.png", PNG + bytes(64 << 20))], zipfile.ZIP_DEFLATED)
    asked, real = [], zlib.decompressobj

    class Watched:
        """A decompressor that notes how much it is let give at once."""

        def __init__(self, *arguments):
            self.real = real(*arguments)

        def decompress(self, data, most=0):
            asked.append(most)
            return self.real.decompress(data, most)

        def __getattr__(self, name):
            return getattr(self.real, name)

    monkeypatch.setattr(zlib, "decompressobj", Watched)
    edited(path, 16, "<I", zlib.crc32(PNG))
    data = Images(edited(path, 24, "<I", len(PNG))).open()
    assert np.array_equal(data.read(torch.tensor([0])).numpy()[0], PIXELS.transpose(2, 0, 1))
    assert asked and all(0 < most <= (1 << 20) + 1 for most in asked)


def test_a_file_that_grew_since_it_was_looked_at_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(_files, "MOST_BYTES", 1 << 20)
    (tmp_path / "x.png").write_bytes(PNG)
    infinite = replace(image_files(tmp_path), stream=lambda name: io.BytesIO(bytes(2 << 20)))
    with pytest.raises(ValueError, match="is larger than 1 MiB"):
        infinite.read("x.png")


def test_a_zip_in_a_zip_is_another_file_and_never_opened(tmp_path):
    inner = zip_of(tmp_path / "inner.zip", [("y.png", PNG)]).read_bytes()
    data = Images(str(zip_of(tmp_path / "a.zip", [("x.png", PNG), ("inner.zip", inner)]))).open()
    assert len(data) == 1 and data.notes == ("ignored 1 other file (1 x .zip) beside the images",)


def test_damage_anywhere_in_a_zip_is_a_sentence(tmp_path):
    whole = zip_of(tmp_path / "a.zip", [(f"{i}.png", PNG) for i in range(4)], zipfile.ZIP_DEFLATED).read_bytes()
    random = np.random.default_rng(0)
    for _ in range(200):
        content = bytearray(whole)
        beginning = whole.index(b"PK\x01\x02") if random.integers(2) else 0
        for place in random.integers(beginning, len(content), random.integers(1, 4)):
            content[place] = random.integers(256)
        (tmp_path / "a.zip").write_bytes(content)
        try:
            report = check(tmp_path / "a.zip")
        except ValueError as error:
            assert printable(error) == str(error) and len(str(error)) < 600
            continue
        assert all(one.reason.isprintable() and one.file.isprintable() for one in report.broken)


def test_a_name_is_shown_and_not_obeyed_nor_shown_at_length(tmp_path):
    names = ["\x1b]0;owned\x07.png", "\u202egnp.exe", "a" * 60_000 + ".png"]
    path = zip_of(tmp_path / "a.zip", [(name, b"") for name in names] + [("b.\x1b[2J", b"")])
    report = check(path)
    assert len(report.broken) == 2
    assert all(one.file.isprintable() and len(one.file) < 600 for one in report.broken)
    message = sentence(Images(str(path)))
    assert message.isprintable() and len(message) < 800
    with pytest.raises(ValueError, match=r"has no images .*1 x \.\\x1b\[2j"):
        image_files(zip_of(tmp_path / "b.zip", [("b.\x1b[2J", b"")]))


def test_names_that_are_no_utf_8_are_read_and_shown(tmp_path):
    folder = os.fsencode(tmp_path) + b"/caf\xe9"
    os.mkdir(folder)  # noqa: PTH102  # a path of bytes
    (tmp_path / "other").mkdir()
    for place, name in ((folder, b"\xff.png"), (os.fsencode(tmp_path / "other"), b"a.png")):
        with open(place + b"/" + name, "wb") as file:  # noqa: PTH123  # a path of bytes
            file.write(PNG)
    data = Images(str(tmp_path)).open()
    assert len(data.read(torch.tensor([0, 1]))) == 2
    assert data.classes == ("caf\\udce9", "other") and data.content()
    with open(folder + b"/\xff.png", "wb"):  # noqa: PTH123  # a path of bytes
        pass
    (found,) = check(tmp_path).broken
    assert found.file.endswith("caf\\udce9/\\udcff.png")


def test_links_that_go_round_or_fan_out_end(tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "a.png").write_bytes(PNG)
    (tmp_path / "set" / "round").symlink_to(tmp_path / "set")
    (tmp_path / "set" / "self.png").symlink_to(tmp_path / "set" / "self.png")
    assert image_files(tmp_path / "set").names == ("a.png", "self.png")
    (found,) = check(tmp_path / "set").broken
    assert found.file.endswith("self.png") and found.reason.startswith("cannot be read ([Errno 40]")
    for level in range(30):
        place = tmp_path / "fan" / str(level)
        place.mkdir(parents=True)
        for way in "xy":
            (place / way).symlink_to(tmp_path / "fan" / str(level + 1))
    with pytest.raises(ValueError, match=r"fan/.* cannot be listed: links lead to it more than 100 times"):
        image_files(tmp_path / "fan" / "0")


def test_folders_in_folders_without_end_are_refused(tmp_path):
    place = tmp_path
    for _ in range(101):
        place = place / "d"
    place.mkdir(parents=True)
    with pytest.raises(ValueError, match="d cannot be listed: it is nested too deep"):
        image_files(tmp_path)


def test_what_is_no_file_is_never_waited_for(tmp_path):
    (tmp_path / "a.png").write_bytes(PNG)
    os.mkfifo(tmp_path / "pipe.png")
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(tmp_path / "s.png"))
        (tmp_path / "zero.png").symlink_to("/dev/zero")
        broken = check(tmp_path).broken
    assert [one.reason for one in broken] == ["is not a regular file"] * 3
    assert len(Images(str(tmp_path), bad="skip").open().content()) > 64
    os.mkfifo(tmp_path / "pipe.zip")
    os.mkfifo(tmp_path / "pipe.npy")
    for source in (Images(str(tmp_path / "pipe.zip")), Arrays(str(tmp_path / "pipe.npy"))):
        assert "is neither a file nor a folder" in sentence(source)
    with pytest.raises(ValueError, match="is neither a file nor a folder"):
        existing("/dev/zero")


def test_folders_that_may_not_be_read_are_reported(tmp_path, monkeypatch):
    def refused(self):
        raise PermissionError(13, "Permission denied", "x\x1b")

    monkeypatch.setattr(type(tmp_path), "iterdir", refused)
    with pytest.raises(ValueError, match=r"cannot be read \(\[Errno 13\] Permission denied: 'x\\x1b'\)"):
        image_files(tmp_path)
