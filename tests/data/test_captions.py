"""Images under captions, from a table or from text files beside them."""

import zipfile

import numpy as np
import pytest
import torch
from PIL import Image as Picture

from zerosum.conditions import Text
from zerosum.data import Captioned
from zerosum.data.fingerprints import fingerprint


def stored(folder, count=30, suffix="png"):
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(count):
        Picture.fromarray(np.full((8, 8, 3), 8 * i, np.uint8)).save(folder / f"{i:02}.{suffix}")


def table(folder, rows, header="file,caption"):
    (folder / "captions.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")


def captions_of(path, part="all", **options):
    """The caption of each image, by its grey level over 8."""
    data = Captioned(str(path), part=part, **options).open()
    x = data.read(torch.arange(len(data)))
    captions = [data.condition.caption(row) for row in data.conditions.of(torch.arange(len(data)))]
    return {int(image[0, 0, 0]) // 8: caption for image, caption in zip(x, captions, strict=True)}, data


def test_a_table_and_text_files_give_the_same(tmp_path):
    stored(tmp_path / "a" / "cats", 20)
    stored(tmp_path / "a" / "dogs", 0)
    wanted = {i: f"level {i} of grey" for i in range(20)}
    table(tmp_path / "a", [f'cats/{i:02}.png,"Level {i}, of grey."' for i in reversed(range(20))])
    assert captions_of(tmp_path / "a")[0] == wanted
    stored(tmp_path / "b", 20, "bmp")
    for i in range(20):
        (tmp_path / "b" / f"{i:02}.txt").write_text(f"Level {i}\nof grey\n", encoding="utf-8-sig")
    (tmp_path / "b" / "readme.md").write_text("x")
    found, data = captions_of(tmp_path / "b")
    assert found == wanted and data.shape == (3, 8, 8) and isinstance(data.condition, Text)
    assert data.notes == ("ignored 1 other file (1 x .md) beside the images and captions",)
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        for path in (tmp_path / "b").iterdir():
            archive.write(path, path.name)
    assert captions_of(tmp_path / "b.zip", size=4)[0] == wanted


def test_captions_are_held_out_with_their_images_and_are_part_of_the_fingerprint(tmp_path):
    stored(tmp_path)
    table(tmp_path, [f"{i:02}.png,number {i}" for i in range(30)])
    (train, data), (test, held) = (captions_of(tmp_path, part) for part in ("train", "test"))
    assert train.keys().isdisjoint(test) and {*train, *test} == {*range(30)} and 1 <= len(test) <= 9
    assert all(caption == f"number {i}" for i, caption in (train | test).items())
    assert data.condition == held.condition, "one vocabulary for all parts"
    assert {data.condition.caption(row) for row in data.condition.examples} <= {*test.values()}
    before = fingerprint(data)
    table(tmp_path, [f"{i:02}.png,member {i}" for i in range(30)])
    assert len({before, fingerprint(held), fingerprint(captions_of(tmp_path, "train")[1])}) == 3


def test_long_captions_and_rare_words_are_cut_with_a_note(tmp_path, monkeypatch):
    stored(tmp_path, 3)
    table(tmp_path, ["00.png," + "far " * 70, "01.png,a far hill", "02.png,a hill"])
    found, data = captions_of(tmp_path)
    assert found[0] == " ".join(["far"] * 64)
    assert "1 captions have more than 64 words, of which the first are used" in data.notes
    monkeypatch.setattr("zerosum.conditions.text._MOST_WORDS", 2)
    found, data = captions_of(tmp_path)
    assert found[1] == "a far" and "1 rare words of the captions are left out, such as hill" in data.notes
    table(tmp_path, ["00.png,far far", "01.png,a a", "02.png,hill"])
    with pytest.raises(ValueError, match="a caption has rare words alone, which are left out: 'hill'"):
        captions_of(tmp_path)


def test_broken_captions_are_refused(tmp_path):
    stored(tmp_path, 3)
    with pytest.raises(ValueError, match=r"3 of 3 images have no caption, such as 00\.png, which has no text file"):
        captions_of(tmp_path)
    (tmp_path / "00.txt").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(ValueError, match=r"00\.txt is not UTF-8 text: save it as UTF-8"):
        captions_of(tmp_path)
    (tmp_path / "00.txt").write_text("...")
    with pytest.raises(ValueError, match=r"00\.txt: the file has a caption without words: '\.\.\.'"):
        captions_of(tmp_path)
    rows = [f"{i:02}.png,x" for i in range(3)]
    for lines, match in (
        ((rows, "name,caption"), "should begin with the header file,caption"),
        ((rows[:2],), r"1 of 3 images have no caption, such as 02\.png, which has no row in .*captions\.csv: add"),
        (([*rows, "03.png,x"],), r"line 5 names '03\.png', which is no image, or has a caption already"),
        (([*rows, "02.png,y"],), r"line 5 names '02\.png', which is no image, or has a caption already"),
        (([*rows[:2], "02.png,x,y"],), "line 4 has 3 cells, not a file and a caption: quote one with commas"),
        (([*rows[:2], "02.png,!"],), "line 4 has a caption without words: '!'"),
        (([*rows[:2], '02.png,"x'],), "captions.csv unexpected end of data"),
    ):
        table(tmp_path, *lines)
        with pytest.raises(ValueError, match=match):
            captions_of(tmp_path)
    (tmp_path / "captions.csv").write_bytes(b"file,caption\n\xff")
    with pytest.raises(ValueError, match=r"captions\.csv is not UTF-8 text: save it as UTF-8"):
        captions_of(tmp_path)
    with pytest.raises(ValueError, match="needs part to be train, test, all"):
        Captioned(str(tmp_path), part="x")
