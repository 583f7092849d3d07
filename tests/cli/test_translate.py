"""Two folders without pairs: trained by one command, translated both ways by others."""

import sys

import numpy as np
import pytest
from PIL import Image

import zerosum
from zerosum.cli import main
from zerosum.runs.run import Run

RANDOM = np.random.default_rng(0)
SIZES = ("generator.size=4", "generator.blocks=1", "discriminator.size=4", "snapshot=16")


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run commands in a folder with dark images in `a` and light ones in `b`."""
    monkeypatch.chdir(tmp_path)
    for name, low in (("a", 0), ("b", 155)):
        (tmp_path / name).mkdir()
        for i in range(30):
            Image.fromarray(RANDOM.integers(low, low + 100, (16, 16, 3), dtype=np.uint8)).save(f"{name}/{i:02}.png")

    def command(*words):
        monkeypatch.setattr(sys, "argv", ["zerosum", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code

    return command


def test_folders_are_translated_there_and_back(run, capsys):
    settings = [word for size in SIZES for word in ("--set", size)]
    data = "Unpaired(Images('a'), Images('b'))"
    assert run("train", "cyclegan", "--data", data, "--images", "32", *settings, "--out", "both") == 0
    assert run("apply", "both", "a/03.png", "there.png") == 0
    assert run("apply", "both", "b", "back", "--generator", "backward") == 0
    pixels = lambda path: np.asarray(Image.open(path))  # noqa: E731
    there, back = (zerosum.load("both", generator=name) for name in ("generator", "backward"))
    assert np.array_equal(pixels("there.png"), there.apply(pixels("a/03.png")))
    assert np.array_equal(pixels("back/29.png"), back.apply(pixels("b/29.png")))
    assert not np.array_equal(back.apply(pixels("a/03.png")), pixels("there.png"))
    assert run("apply", "both", "a/03.png", "x.png", "--generator", "sideways") != 0
    assert "Cycle has the generators generator and backward; found 'sideways'" in capsys.readouterr().err
    assert run("evaluate", "both", "--metrics", "psnr") != 0
    assert "do not belong to their conditions" in " ".join(capsys.readouterr().err.split())
    shown = Run("both").generator.condition.examples
    originals = {pixels(f"a/{i:02}.png").tobytes() for i in range(30)}
    assert all(one.permute(1, 2, 0).numpy().tobytes() in originals for one in shown)
