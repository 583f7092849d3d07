"""The frames of films as images."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.frame_folders import LINE, PLANE, common, frame, line_run, plane_run, written

from zerosum.diagnostics import film, scenes
from zerosum.diagnostics.densities import CELLS
from zerosum.networks.mlp import IdentityDiscriminator
from zerosum.objectives import MMD, Wasserstein
from zerosum.plots.panels import GENERATED, REAL, chart


@pytest.fixture(autouse=True)
def few_cells(monkeypatch):
    monkeypatch.setitem(CELLS, 2, 128)


@pytest.fixture
def titles(monkeypatch):
    """The titles of everything that is drawn."""
    seen = []
    for name in ("dots_panel", "field_panel", "densities_panel", "titled", "chart"):
        drawn = getattr(scenes, name)

        def noted(*arguments, drawn=drawn, **options):
            seen.extend(one for one in arguments if isinstance(one, str))
            seen.extend(line.label for line in (arguments[0] if drawn is chart else ()) if line.label)
            return drawn(*arguments, **options)

        monkeypatch.setattr(scenes, name, noted)
    return seen


def test_in_the_plane(tmp_path, titles):
    images = scenes.film_images(film(plane_run(tmp_path)))
    assert len(images) == 3 and {image.size for image in images} == {(940, 491)}
    assert "plane: 128 points seen; arrows: minus the gradient of G's loss" in titles
    assert "D(x), from 0 (orange) to 1 (blue)" in titles
    assert any(title.startswith("optimal D* = p / (p + q): |D - D*| 0.") for title in titles)
    assert any(title.startswith("JS divergence: 0.6") for title in titles)
    assert any(title.startswith("V = -2.000") for title in titles) and any("2 JS - log 4 = " in t for t in titles)
    pixels = np.asarray(images[0], float)
    field = pixels[58 + 10 : 58 + 290, 320 + 10 : 320 + 290]  # D rises with x
    assert np.abs(field[:, -3:] - REAL).max() < 150 and np.abs(field[:, :3] - GENERATED).max() < 150
    left, right = (field[:, ends].mean((0, 1)) for ends in (slice(3), slice(-3, None)))
    assert left[0] > left[2] + 20 and right[2] > right[0] + 20


def test_on_the_line(tmp_path, titles):
    found = film(line_run(tmp_path))
    images = scenes.film_images(found, [0, 2])
    assert len(images) == 2 and images[0].size == images[1].size == (480, 535)
    assert "optimal D*" in titles and "D(x)" in titles
    high = float(torch.special.ndtr((found.data.high - 3) / 0.5))
    assert f"data (blue), generated (orange): too high, too low, {1 - high:.0%} outside" in titles
    assert "line: 0 points seen; arrows: minus the gradient of G's loss" in titles
    assert not any("line: 64 points" in title for title in titles)


def test_scores_are_called_scores(tmp_path, titles):
    scenes.film_images(film(plane_run(tmp_path / "plane", replace(PLANE, objective=Wasserstein()))), [1])
    assert any(title.startswith("D's score, from -") for title in titles)
    assert "too few samples (blue), too many (orange)" in titles
    scenes.film_images(film(line_run(tmp_path / "line", replace(LINE, objective=Wasserstein()))), [1])
    assert "D's score over x" in titles
    recipe = replace(LINE, objective=MMD(), discriminator=IdentityDiscriminator(), n_critic=0)
    scenes.film_images(film(line_run(tmp_path / "direct", recipe, score=None)), [1])
    assert "witness of MMD over x" in titles
    assert not any("D*" in title or "V =" in title for title in titles)


def test_odd_frames_are_drawn(tmp_path):
    data = common(PLANE)
    odd = frame(data, 0, torch.full((64, 2), 1e9), score=lambda x: 0 * x[:, 0])
    odd = replace(odd, pushes=torch.full_like(odd.pushes, math.nan), value=torch.tensor(math.inf))
    (image,) = scenes.film_images(film(written(tmp_path, PLANE, data, [odd])))
    assert image.size == (940, 491)


def test_scores_that_are_not_finite_leave_the_others_their_colours(tmp_path, titles):
    def diverged(x):
        return torch.where(x[:, 0] > 1, math.inf, x[:, 0])

    plane, line = (replace(recipe, objective=Wasserstein()) for recipe in (PLANE, LINE))
    (image,) = scenes.film_images(film(plane_run(tmp_path / "plane", plane, diverged)), [2])
    assert any(re.fullmatch(r"D's score, from -2\.\d+ \(orange\) to 0\.9\d* \(blue\)", title) for title in titles)
    field = np.asarray(image, float)[58 + 10 : 58 + 290, 320 + 10 : 320 + 290]
    assert (field[:, :3].mean((0, 1)) * (1, 0, -1)).sum() > 20, "orange"
    assert len(scenes.film_images(film(line_run(tmp_path / "line", line, diverged)), [2])) == 1
    nowhere = plane_run(tmp_path / "nowhere", plane, lambda x: x[:, 0] * math.nan)
    assert len(scenes.film_images(film(nowhere), [2])) == 1
