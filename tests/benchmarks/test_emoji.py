"""The emoji benchmark: its measure of variety, and its page."""

import subprocess
import sys

import numpy as np
import pytest
from benchmarks.quality import emoji
from PIL import Image


def blobs(count, seed):
    """Pictures of a disc on white, of random colour and place: uint8 `(N, 16, 16, 3)`."""
    random, (y, x) = np.random.default_rng(seed), np.mgrid[:16, :16]
    images = np.full((count, 16, 16, 3), 255, np.uint8)
    for image in images:
        place, colour = random.uniform(4, 12, 2), random.integers(0, 200, 3)
        image[(y - place[0]) ** 2 + (x - place[1]) ** 2 < 16] = colour
    return images


def test_variety_is_the_mean_over_pairs():
    images = blobs(2, seed=0)
    colours, outlines = emoji.variety(images)
    one, other = images.astype(float)
    assert colours == pytest.approx(np.sqrt(((one - other) ** 2).mean()))
    assert outlines == pytest.approx((one.min(2) < 240).sum() / 256 + (other.min(2) < 240).sum() / 256
                                     - 2 * ((one.min(2) < 240) & (other.min(2) < 240)).sum() / 256)  # fmt: skip


def test_variety_distinguishes_one_outline_of_many_colours_and_one_image():
    varied, same = blobs(300, seed=1), np.repeat(blobs(1, seed=2), 300, 0)
    tinted = same - (same < 255) * np.random.default_rng(3).integers(0, 50, (300, 1, 1, 3)).astype(np.uint8)
    real = emoji.variety(blobs(300, seed=4))
    assert emoji.variety(varied) == pytest.approx(real, rel=0.15)
    assert emoji.variety(same) == (0, 0)
    colours, outlines = emoji.variety(tinted)
    assert colours > 0 and outlines == 0


def test_the_bench_trains_reads_and_writes_its_page(tmp_path, monkeypatch, capsys, forks):
    folder = tmp_path / "images"
    folder.mkdir()
    for number, image in enumerate(blobs(24, seed=0)):
        Image.fromarray(image).save(folder / f"{number:02}.png")
    page = tmp_path / "emoji.md"
    page.write_text(
        "before\n<!-- emoji: written by benchmarks.quality.emoji -->\n<!-- emoji: as far as here -->\nafter\n"
    )
    monkeypatch.setattr(emoji, "GAMES", {"r3gan": 64})
    monkeypatch.setattr(emoji, "PAGE", page)
    monkeypatch.setattr(emoji, "IMAGES", tmp_path)
    monkeypatch.setattr(emoji, "SAMPLES", 24)
    words = [str(folder), "--games", "r3gan", "--out", str(tmp_path / "runs")]
    assert emoji.main(words) == 0
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("after\n")
    assert "zerosum train r3gan --data emoji/ --images 64 --set 'augment=AdaptiveAugment(images=100_000)'" in text
    assert "](../../docs/images/emoji-r3gan.png)" in text, "relative to benchmarks/results"
    assert "| `r3gan` | 64 | " in text and "24 images of 3 x 16 x 16" in text
    with Image.open(tmp_path / "emoji-r3gan.png") as drawn:
        assert drawn.size[0] > 100
    trained = (tmp_path / "runs/r3gan/time.json").read_text()
    assert emoji.main(words) == 0 and (tmp_path / "runs/r3gan/time.json").read_text() == trained, "it had ended"
    page.write_text(text.replace("| `r3gan` | 64 |", "| `gat` | 7 | kept |\n| `r3gan` | 0 |"))
    monkeypatch.setattr(emoji, "GAMES", {"gat": 7, "r3gan": 64})
    assert emoji.main(words) == 0
    assert "| `gat` | 7 | kept |\n| `r3gan` | 64 | " in page.read_text(), "a game that was not asked for keeps its row"
    page.write_text(text)
    monkeypatch.setattr(emoji, "GAMES", {"r3gan": 0})
    (tmp_path / "runs/r3gan/time.json").unlink()
    assert emoji.main(words) == 1
    err = capsys.readouterr().err
    assert "r3gan failed; its output is in" in err and "missing: r3gan" in err
    assert page.read_text() == text


def test_without_a_folder_the_bench_says_how_it_is_called(forks):
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.quality.emoji"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2 and "usage" in done.stderr and "FOLDER" in done.stderr
