"""`zerosum watch` as a whole command."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from tests.frame_folders import LINE, line_run, plane_run

from zerosum.cli import main
from zerosum.cli._films import write_film
from zerosum.cli._watched import HOLD
from zerosum.diagnostics.densities import CELLS
from zerosum.networks.mlp import IdentityDiscriminator
from zerosum.objectives import MMD
from zerosum.recipes.recipe import pretty


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Runs of each kind: on the line, the same without a discriminator, in the plane, and of images."""
    folder = tmp_path_factory.mktemp("runs")
    line_run(folder / "line")
    direct = replace(LINE, name="direct", objective=MMD(), discriminator=IdentityDiscriminator(), n_critic=0)
    line_run(folder / "direct", direct, score=None)
    plane_run(folder / "plane")
    for name, count in (("images", 3), ("empty", 0)):
        (folder / name / "samples").mkdir(parents=True)
        (folder / name / "recipe.txt").write_text(pretty(replace(LINE, name=name)))
        for n in range(count):
            Image.new("RGB", (90, 70 + n), (40 * n, 0, 0)).save(folder / name / "samples" / f"{100 * n:09d}.png")
    return folder


@pytest.fixture
def watch(runs, monkeypatch, capsys):
    monkeypatch.setitem(CELLS, 2, 128)

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["zerosum", "watch", *map(str, words)])
        code = 0
        try:
            main()
        except SystemExit as error:
            code = error.code
        said = capsys.readouterr()
        return code or 0, said.out, said.err

    return run


def frames_of(path):
    with Image.open(path) as image:
        return image.format, getattr(image, "n_frames", 1), image.size


def test_a_film_is_written_beside_the_run(runs, watch):
    code, out, err = watch(runs / "line")
    assert (code, out) == (0, "") and err == f"wrote 3 frames to {runs / 'line' / 'film.webp'}\n"
    assert frames_of(runs / "line" / "film.webp") == ("WEBP", 3, (480, 535))


@pytest.mark.parametrize("suffix", ["gif", "apng"])
def test_animations(runs, watch, tmp_path, suffix):
    code, out, _ = watch(runs / "plane", "--out", tmp_path / "new" / f"film.{suffix}", "--duration", 50, "--json")
    assert code == 0 and json.loads(out)["frames"] == 3 and json.loads(out)["shape"] == [491, 940, 3]
    kind, count, size = frames_of(tmp_path / "new" / f"film.{suffix}")
    assert (kind, count, size) == ({"gif": "GIF", "apng": "PNG"}[suffix], 3, (940, 491))
    with Image.open(tmp_path / "new" / f"film.{suffix}") as image:
        durations = [image.seek(n) or image.info["duration"] for n in range(3)]
    assert durations == [50, 50, 400], "the last one is shown longer"


def test_a_grid_of_frames(runs, watch, tmp_path):
    assert watch(runs / "line", "--out", tmp_path / "film.png")[0] == 0
    kind, count, (width, height) = frames_of(tmp_path / "film.png")
    assert (kind, count) == ("PNG", 1) and width > 2 * 480 and height > 2 * 535


def test_two_runs_beside_each_other_at_the_same_number_of_images(runs, watch, tmp_path):
    assert watch(runs / "line", runs / "direct", "--out", tmp_path / "two.apng")[0] == 0
    assert frames_of(tmp_path / "two.apng") == ("PNG", 3, (960, 535))
    (runs / "direct" / "frames" / "000000128.safetensors").unlink()
    _, out, _ = watch(runs / "line", runs / "direct", "--out", tmp_path / "two.png", "--json")
    assert json.loads(out) == {"out": str(tmp_path / "two.png"), "frames": 3, "shape": [535, 960, 3]}
    assert watch(runs / "plane", runs / "line", "--out", tmp_path / "stacked.apng")[0] == 0
    assert frames_of(tmp_path / "stacked.apng") == ("PNG", 3, (940, 491 + 535))


def test_a_run_on_images_shows_its_sample_grids(runs, watch, tmp_path):
    code, out, _ = watch(runs / "images", "--out", tmp_path / "film.apng", "--json")
    assert code == 0 and json.loads(out)["frames"] == 3
    kind, count, (width, height) = frames_of(tmp_path / "film.apng")
    assert (kind, count) == ("PNG", 3) and width >= 110 and height == 72 + 18 + 20


@pytest.mark.parametrize("suffix", [".webp", ".gif", ".apng"])
def test_the_longest_frames_can_be_written(tmp_path, suffix):
    write_film(tmp_path / f"a{suffix}", [np.full((4, 4, 3), value, np.uint8) for value in (0, 9)], 8_000, hold=HOLD)
    assert (tmp_path / f"a{suffix}").stat().st_size > 0


def test_what_cannot_be_drawn_is_one_sentence(runs, watch, tmp_path):
    for words, message in (
        ((runs / "line", "--out", "film.mp4"), "a film is FILE.webp, FILE.gif, FILE.apng or FILE.png, with frames of"),
        ((runs / "line", "--duration", "0"), "a film is FILE.webp"),
        ((runs / "line", "--duration", "8001"), "with frames of 1 to 8,000 ms"),
        ((runs / "empty",), "has no frames and no sample grids yet: train longer"),
        ((tmp_path,), "is not a run folder"),
        ((runs / "line",) * 3, "a film is of one run or of two beside each other; found 3"),
    ):
        code, out, err = watch(*words)
        assert (code, out) == (1, "") and message in err and err.count("\n") == 1
