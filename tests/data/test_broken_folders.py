import io
import os
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from zerosum.data.sources.folders import Images

RANDOM = np.random.default_rng(0)
COLOUR = RANDOM.integers(0, 256, (12, 8, 3), dtype=np.uint8)
GREY = COLOUR[..., 0]


def zipped(folder):
    """Pack a folder into a zip beside it, with the folder itself at the top."""
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder.parent).as_posix())
    return str(path)


def everything(data):
    return data.read(torch.arange(len(data))).numpy()


def png(image=COLOUR):
    out = io.BytesIO()
    Image.fromarray(image).save(out, "PNG")
    return out.getvalue()


def jpeg(side=64):
    out = io.BytesIO()
    Image.fromarray(RANDOM.integers(0, 256, (side, side, 3), dtype=np.uint8)).save(out, "JPEG")
    return out.getvalue()


def ppm():
    out = io.BytesIO()
    Image.fromarray(GREY).save(out, "PPM")
    return out.getvalue()


@pytest.mark.parametrize("pack", [str, zipped], ids=["folder", "zip"])
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is not a PNG, JPEG, WebP, BMP, GIF or TIFF image, or its header is damaged"),
        (b"just some text", "is not a PNG, JPEG, WebP, BMP, GIF or TIFF image, or its header is damaged"),
        (ppm(), "is not a PNG, JPEG, WebP, BMP, GIF or TIFF image, or its header is damaged"),
        (png()[: len(png()) // 2], r"is damaged \(.*truncated.*\)"),
        (png()[:60] + bytes(40) + png()[100:], r"is damaged \(.*\)"),
        (jpeg()[: len(jpeg()) // 2], r"is damaged \(.*truncated.*\)"),
    ],
    ids=["empty", "text", "ppm", "half a PNG", "holes", "half a JPEG"],
)
def test_broken_image_is_named_with_the_reason(tmp_path, pack, content, reason):
    folder = tmp_path / "set"
    (folder / "a").mkdir(parents=True)
    (folder / "a" / "good.png").write_bytes(png(GREY))
    (folder / "a" / "bad.jpg").write_bytes(content)
    advice = (
        r"replace it by one of the same name, or remove it if no run has begun "
        r"\(`zerosum data check` lists all broken files; Images\(bad='skip'\) replaces them by"
    )
    sentence = rf"bad.jpg {reason}: {advice}"
    with pytest.raises(ValueError, match=sentence):
        everything(Images(pack(folder)).open())


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_no_damage_gets_past_the_sentence(tmp_path, form):
    out, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(COLOUR).save(out, form, exif=exif)
    whole = out.getvalue()
    for _ in range(100):
        content, at = bytearray(whole), int(RANDOM.integers(len(whole)))
        content[at : at + int(RANDOM.integers(3))] = RANDOM.bytes(int(RANDOM.integers(3)))
        (tmp_path / "a.png").write_bytes(content)
        try:
            everything(Images(str(tmp_path), size=8).open())
        except ValueError as error:
            assert "a.png" in str(error)
            assert "replace it by one of the same name" in str(error)


def test_wrong_suffix_of_a_readable_image_does_not_matter(tmp_path):
    (tmp_path / "a.jpg").write_bytes(png())
    assert np.array_equal(everything(Images(str(tmp_path)).open())[0], COLOUR.transpose(2, 0, 1))


@pytest.mark.parametrize("side", [8_193, 9_600, 20_000])
@pytest.mark.parametrize("action", ["error", "ignore"])
def test_decompression_bombs_are_refused(tmp_path, side, action):
    Image.new("1", (side, side)).save(tmp_path / "bomb.png")
    with warnings.catch_warnings():
        warnings.simplefilter(action)
        with pytest.raises(ValueError, match=r"bomb.png has more than 64 megapixels, or a height or width above"):
            Images(str(tmp_path)).open()


def test_large_files_and_things_that_are_no_files_are_refused(tmp_path):
    with (tmp_path / "large.png").open("wb") as file:
        file.truncate((64 << 20) + 1)
    with pytest.raises(ValueError, match=r"large.png is larger than 64 MiB: replace"):
        Images(str(tmp_path)).open()
    (tmp_path / "large.png").unlink()
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(ValueError, match=r"pipe.png is not a regular file: replace"):
        Images(str(tmp_path)).open()
    (tmp_path / "pipe.png").unlink()
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"gone.png no longer exists, or is a broken link: restore"):
        Images(str(tmp_path)).open()


def test_places_without_images_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"has no images \(.png, .jpg, .* .tiff\): it is empty$"):
        Images(str(tmp_path)).open()
    (tmp_path / "a.txt").write_text("")
    (tmp_path / "b").write_text("")
    with pytest.raises(ValueError, match=r": it has 2 other files \(1 x .txt, 1 x no suffix\)$"):
        Images(str(tmp_path)).open()
    with pytest.raises(ValueError, match=r"a.txt should be a folder or a .zip of images, but is a single file"):
        Images(str(tmp_path / "a.txt")).open()


def hostile(path, name, content=b"", **attributes):
    member = zipfile.ZipInfo(name)
    member.compress_type = zipfile.ZIP_DEFLATED
    for key, value in attributes.items():
        setattr(member, key, value)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("fine.png", png())
        archive.writestr(member, content)
    return str(path)


@pytest.mark.parametrize("name", ["../up.png", "a/../../up.png", "/root.png", "a\\..\\up.png", "C:/up.png"])
def test_zip_that_leads_out_of_itself_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match=r"a.zip contains the path '.*', which leaves the archive: zip"):
        Images(hostile(tmp_path / "a.zip", name)).open()


def test_zip_with_links_is_refused(tmp_path):
    path = hostile(tmp_path / "a.zip", "link.png", b"/etc/passwd", external_attr=0o120777 << 16)
    with pytest.raises(ValueError, match=r"a.zip contains the link 'link.png': zip the files again without links"):
        Images(path).open()


def test_zip_bombs_are_refused(tmp_path):
    path = hostile(tmp_path / "a.zip", "ratio.png", png() + bytes(2 << 20))
    with pytest.raises(ValueError, match=r"ratio.png has a compression ratio above 200, as no image has: replace"):
        Images(path).open()
    path = hostile(tmp_path / "b.zip", "size.png", bytes((64 << 20) + 1))
    with pytest.raises(ValueError, match=r"size.png is larger than 64 MiB: replace"):
        Images(path).open()


def test_encrypted_and_damaged_zips_are_refused(tmp_path):
    path = Path(hostile(tmp_path / "a.zip", "secret.png", png()))
    content = bytearray(path.read_bytes())
    content[content.rindex(b"PK\x01\x02") + 8] |= 1  # the flag of encryption in the last entry of the directory
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"secret.png is encrypted: replace it by one of the same name"):
        Images(str(path)).open()
    path.write_bytes(content[:100])
    with pytest.raises(ValueError, match=r"a.zip is damaged or not a zip file \(File is not a zip file\)"):
        Images(str(path)).open()


def test_zip_member_with_wrong_checksum_is_refused(tmp_path):
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "a.png").write_bytes(png(GREY))
    path = Path(zipped(folder))
    content = bytearray(path.read_bytes())
    at = content.index(b"IEND") + 5
    content[at] ^= 255
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"set.zip/set/a.png cannot be read \(Bad CRC-32 for file 'set/a.png'\): rep"):
        everything(Images(str(path)).open())
