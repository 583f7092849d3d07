"""The photographs benchmark: its trivial sets, its table, and the rows that it keeps."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from benchmarks.quality import photographs
from PIL import Image

from zerosum.networks import MLPDiscriminator, MLPGenerator
from zerosum.recipes.named_recipes import named

MARKS = "<!-- photographs: written by benchmarks.quality.photographs -->", "<!-- photographs: as far as here -->"


def noise(count, seed, contrast=60.0):
    values = np.random.default_rng(seed).normal(128, contrast, (count, 16, 16, 3))
    return values.clip(0, 255).astype(np.uint8)


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """The bench on folders of noise, with runs that have ended and whose samples are noise; returns its arguments."""
    for part, seed, count in (("train", 0, 40), ("test", 1, 16)):
        (tmp_path / part).mkdir()
        for number, image in enumerate(noise(count, seed)):
            Image.fromarray(image).save(tmp_path / part / f"{number:02}.png")
    for name in photographs.GAMES:
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "images.txt").write_text("96\n")
        time = {"seconds": 9.0, "cpu_seconds": 1234.5, "ended": True}
        (tmp_path / "runs" / name / "time.json").write_text(json.dumps(time))
    page = tmp_path / "photographs.md"
    page.write_text("before\n" + "\n".join(MARKS) + "\nafter\n")
    generator = SimpleNamespace(images=77, sample=lambda count, seed: noise(count, 5, contrast=20))
    monkeypatch.setattr(photographs.zerosum, "Run", lambda _: SimpleNamespace(generator=generator))
    monkeypatch.setattr(photographs, "PAGE", page)
    monkeypatch.setattr(photographs, "IMAGES", tmp_path)
    monkeypatch.setattr(photographs, "SIZE", 16)
    monkeypatch.setattr(photographs, "FEATURES", ("random-conv",))
    return [str(tmp_path / "train"), "--held-out", str(tmp_path / "test"), "--out", str(tmp_path / "runs")]


def cells(text, name):
    (line,) = [line for line in text.splitlines() if line.startswith(f"| {name} |")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_page_has_a_row_for_each_run_the_real_ones_and_the_trivial_sets(bench, tmp_path):
    assert photographs.main(bench) == 0
    text = (tmp_path / "photographs.md").read_text()
    assert text.startswith("before\n") and text.endswith("after\n")
    made, real = cells(text, "`projected-gan`"), cells(text, "*photographs held out*")
    assert made[1:3] == ["77", "1,234"] and real[1:3] == ["", ""]
    kid = [float(row[3].split()[0].replace(",", "")) for row in (made, real)]
    assert kid[0] > 10 > kid[1] > -10
    assert float(cells(text, "*the mean photograph*")[4].split()[0]) == 0, "no variety"
    assert "    zerosum train fastgan --data photos/ --size 16 --set batch=16 --images 96\n" in text
    assert "40 photographs of 16 x 16 x 3; every other set has 16." in text
    assert "](../../docs/images/photographs-fastgan.png)" in text
    with Image.open(tmp_path / "photographs-fastgan.png") as drawn:
        assert drawn.size[0] > 100


def test_rows_and_commands_of_other_recipes_are_kept(bench, tmp_path):
    page = tmp_path / "photographs.md"
    page.write_text(f"{MARKS[0]}\n    zerosum train fastgan --images 5\n| `fastgan` | kept |\n{MARKS[1]}\n")
    assert photographs.main([*bench, "--games", "projected-gan"]) == 0
    text = page.read_text()
    assert "| `fastgan` | kept |" in text and "| `projected-gan` | 77 |" in text and "r3gan" not in text
    assert "    zerosum train fastgan --images 5\n" in text
    assert "projected-gan --data photos/ --size 16 --images 96\n" in text


def test_the_length_of_a_run_is_measured_in_processor_time_and_once(bench, tmp_path, monkeypatch):
    place = tmp_path / "runs" / "fastgan" / "images.txt"
    place.unlink()
    tiny = replace(named("hinge"), generator=MLPGenerator(), discriminator=MLPDiscriminator(), batch=8)
    monkeypatch.setattr(photographs, "named", lambda _: tiny)
    monkeypatch.setattr(photographs, "GAMES", {"fastgan": ()})
    clock = iter(range(0, 1000, 5))
    monkeypatch.setattr(photographs.time, "process_time", lambda: next(clock))
    assert photographs.main([*bench, "--minutes", "2"]) == 0
    expected = 120 * 0.95 * (2 * 8) / 15  # two updates until the clock says that 15 s are over
    assert place.read_text() == f"{int(expected / 8) * 8}\n"
    assert photographs.main([*bench, "--minutes", "4"]) == 0
    assert place.read_text() == f"{int(expected / 8) * 8}\n"


def test_the_trivial_sets_are_made_of_the_photographs():
    real = noise(30, 2)
    assert np.array_equal(photographs.mean(real, 3), np.repeat(real.astype(float).mean(0)[None].round(), 3, 0))
    assert {image.tobytes() for image in photographs.few(real, 25)} == {image.tobytes() for image in real[:10]}
    blends = photographs.blend(real, 50).astype(int)
    sums = {(real[i].astype(int) + real[j]).tobytes() for i in range(30) for j in range(30)}
    halves = {(np.frombuffer(one, int) // 2).tobytes() for one in sums}
    assert all(image.tobytes() in halves for image in blends)
