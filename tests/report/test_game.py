"""The section on the game over training."""

from dataclasses import replace

import pytest
from tests.frame_folders import LINE, PLANE, line_run, plane_run

from zerosum.data.sources.in_memory import InMemory
from zerosum.diagnostics.densities import CELLS
from zerosum.objectives import Hinge
from zerosum.report._game import game


@pytest.fixture(autouse=True)
def few_cells(monkeypatch):
    monkeypatch.setitem(CELLS, 2, 128)


def test_frames_and_curves_are_shown_with_the_method(tmp_path, make):
    body = game(line_run(tmp_path)).html()
    page = make.Page(body)
    assert page.count("input", name="game") == 3 and page.count("img") == 3
    assert [one["title"] for one in page.all("input")] == ["0 points", "64 points", "128 points"]
    assert "checked" in page.all("input")[-1] and "checked" not in page.all("input")[0]
    assert page.count("svg", class_="chart") == 3
    assert "The density of the data is known, that of the samples follows from G at 2,048 quantiles" in page.text
    assert "V is at most 2 JS − log 4, which" in page.text and "without penalties." in page.text
    assert "zerosum watch draws all 3 frames" in page.text
    assert len(body) < 200_000


def test_estimates_and_scores_are_called_so(tmp_path, make):
    recipe = replace(PLANE, data=InMemory("mine"), objective=Hinge())
    page = make.Page(game(plane_run(tmp_path, PLANE)).html())
    words = "that of the samples is estimated from 2,048 points. Both are blurred by a Gaussian kernel of standard "
    assert f"{words}deviation 0." in page.text
    assert "a lower bound, but for sampling noise. As many real points have 0.0" in page.text
    own = plane_run(tmp_path / "own", PLANE)
    (own / "recipe.txt").write_text(repr(recipe))
    page = make.Page(game(own).html())
    assert "The density of the data is estimated from 2,000 points" in page.text
    assert "D's score is no probability, so there is no D* to compare with." in page.text
    assert page.count("svg", class_="chart") == 2 and "|D − D*|" not in page.text


def test_a_report_has_the_section_or_the_reason(run, make):
    maker = make.generator(lambda z: z[:, :1], shape=(1,), data=LINE.data)
    assert "The game over training" not in run.report(maker).text
    line_run(run.path)
    page = run.report(maker)
    assert page.count("section", id="game") == 1 and page.count("input", name="game") == 3
    (run.path / "frames" / "000000064.safetensors").write_bytes(b"damaged")
    assert "Not shown: " in run.report(maker).text
