"""`zerosum data pack`, and what it wrote in `data check` and `train`."""

import json
import sys

import numpy as np
import pytest
from PIL import Image

from zerosum.cli import main


@pytest.fixture
def zerosum(tmp_path, monkeypatch, capsys):
    """A command run in this process: its standard output and standard error, once its exit status is as it should."""

    def run(*arguments, code=0):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["zerosum", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        assert (ended.value.code or 0) == code
        return capsys.readouterr()

    return run


@pytest.fixture
def photos(tmp_path):
    for i in range(6):
        (tmp_path / "photos" / "ab"[i % 2]).mkdir(exist_ok=True, parents=True)
        image = np.random.default_rng(i).integers(0, 256, (12, 10, 3), dtype=np.uint8)
        Image.fromarray(image).save(tmp_path / "photos" / "ab"[i % 2] / f"{i}.png")
    return tmp_path / "photos"


def test_a_folder_is_packed_checked_and_reported(zerosum, photos):
    assert json.loads(zerosum("data", "pack", "photos", "out", "--size", 8, "--json").out) == {
        "out": "out", "count": 6, "shape": [3, 8, 8], "classes": ["a", "b"], "notes": [],
    }  # fmt: skip
    done = zerosum("data", "pack", "photos", "out", "--size", 8)
    assert done.out == "" and done.err == "6 samples of 3 x 8 x 8 in out\ntrain with   --data out\n"
    assert "6 checked, 0 broken" in zerosum("data", "check", "out").out
    output = zerosum("data", "info", "out", "--json")
    assert json.loads(output.out)["classes"] == {"a": 3, "b": 3}
    with (photos.parent / "out" / "samples-00000.bin").open("r+b") as file:
        file.write(b"\0\0\0\0")
    found = zerosum("data", "check", "out", code=1)
    assert "samples-00000.bin: does not have the SHA-256" in found.out and "6 checked, 1 broken" in found.out


def test_broken_images_stop_a_packing_unless_they_are_skipped(zerosum, photos):
    (photos / "a" / "2.png").write_bytes(b"nothing")
    assert "a/2.png is not a PNG" in zerosum("data", "pack", "photos", "out", code=1).err
    done = zerosum("data", "pack", "photos", "out", "--bad", "skip", "--fit", "pad", "--size", 16)
    assert "note: 1 of 6 images is broken and was replaced by another: a/2.png is not a PNG" in done.err
    source = "Images('photos', bad='skip')"
    assert json.loads(zerosum("data", "pack", source, "as_it_is", "--json").out)["shape"] == [3, 12, 10]


def test_settings_of_images_are_refused_for_other_data(zerosum):
    sentence = "--size, --fit and --bad apply to folders and zips of images: leave them out for other data"
    for option in (("--size", 8), ("--fit", "pad"), ("--bad", "skip")):
        assert sentence in zerosum("data", "pack", "Digits()", "out", *option, code=1).err
