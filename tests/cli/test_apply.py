"""`zerosum apply` as a whole command, on a run of a command."""

import json
import re

import numpy as np
import pytest
from PIL import Image
from tests.forked import python


def zerosum(*arguments, cwd):
    return python("-W", "error", "-m", "zerosum", *arguments, cwd=cwd)


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    folder = tmp_path_factory.mktemp("apply")
    photos = folder / "photos"
    photos.mkdir()
    random = np.random.default_rng(0)
    for i in range(30):
        Image.fromarray(random.integers(0, 256, (24, 24, 3), dtype=np.uint8)).save(photos / f"{i:02}.png")
    sizes = ["--set", "generator.size=4", "--set", "generator.blocks=1", "--set", "discriminator.size=4"]
    length = ["--images", 48, "--batch", 8, "--set", "snapshot=48", "--out", "larger"]
    done = zerosum("train", "super-resolution", "--data", "photos", "--size", 16, *sizes, *length, cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_files_and_folders_are_enlarged(room):
    text = " ".join((room / "larger" / "recipe.txt").read_text().split())
    assert re.search(r"data=Downscaled\( ?source=Images\( ?path='photos', size=16,", text), text
    done = zerosum("apply", "larger", "photos/00.png", "one.png", cwd=room)
    assert done.returncode == 0 and done.stderr.strip() == "wrote one.png", done.stderr
    with Image.open(room / "one.png") as image:
        assert image.size == (96, 96) and image.mode == "RGB"
    (room / "photos" / "note.txt").write_text("no image")
    done = zerosum("apply", "larger", "photos", "all", "--fidelity", "0.5", "--json", cwd=room)
    (room / "photos" / "note.txt").unlink()
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert len(found["written"]) == 30 and [*found["failed"]] == ["photos/note.txt"]
    assert "photos/note.txt is not a PNG, JPEG" in done.stderr


def test_a_run_alone_is_scored_on_held_out_pairs(room):
    done = zerosum("evaluate", "larger", "--metrics", "psnr,ssim,mae,sharpness", "--json", cwd=room)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["protocol"]["real.n"] < 10 and "part='test'" in found["protocol"]["real"]
    assert {*found["scores"]} == {"psnr", "ssim", "mae", "sharpness"}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("apply", "larger", "none.png", "x.png"), "there is no file or folder none.png"),
        (("apply", "larger", "photos/00.png", "x.png", "--fidelity", "2"), "fidelity is in [0, 1]; found 2.0"),
        (("apply", "larger", "photos/00.png", "x"), "the output of a file is one of FILE.png"),
        (("apply", "photos", "photos/00.png", "x.png"), "is neither a run folder nor a generator.safetensors file"),
    ],
)
def test_errors_are_one_sentence(room, arguments, sentence):
    done = zerosum(*arguments, cwd=room)
    assert done.returncode != 0 and sentence in done.stderr and "Traceback" not in done.stderr
