"""What follows from the frames of a run, against independent computations."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.frame_folders import LINE, PLANE, common, frame, line_run, plane_run, written

from zerosum.data.sources.in_memory import InMemory
from zerosum.data.toys.gaussians import Ring
from zerosum.diagnostics import film
from zerosum.diagnostics.densities import CELLS
from zerosum.networks.mlp import IdentityDiscriminator
from zerosum.objectives import MMD, Hinge, LeastSquares, Minimax, Relativistic, Wasserstein
from zerosum.objectives.kernel import GaussianKernel
from zerosum.runs.frames import FrameData
from zerosum.runs.run import Run


@pytest.fixture(scope="module", autouse=True)
def few_cells():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(CELLS, 2, 128)
        yield


@pytest.fixture(scope="module")
def line(tmp_path_factory):
    return film(line_run(tmp_path_factory.mktemp("line")))


@pytest.fixture(scope="module")
def plane(tmp_path_factory):
    return film(plane_run(tmp_path_factory.mktemp("plane")))


def test_on_the_line_the_divergence_is_that_of_the_densities(line):
    assert line.exact and line.known and line.bandwidth == 0 and line.noise == 0
    x = np.linspace(-5, 9, 20_001)
    p = np.exp(-2 * (x - 1) ** 2) / math.sqrt(math.pi / 2)
    for moment, mean in zip(line.moments, (3, 1.5, 1), strict=True):
        q = np.exp(-2 * (x - mean) ** 2) / math.sqrt(math.pi / 2)
        js = 0.5 * (p * np.log(2 * p / (p + q)) + q * np.log(2 * q / (p + q))).sum() * (x[1] - x[0])
        assert abs(moment.js - js) < 1.5e-3
    assert line.moments[2].js < 1.5e-3, "what 2,048 quantiles leave out"


def test_on_the_line_the_gap_is_the_mean_over_both_densities(line):
    x = np.linspace(-5, 9, 20_001)
    p = np.exp(-2 * (x - 1) ** 2) / math.sqrt(math.pi / 2)
    d = 1 / (1 + np.exp(1 - 2 * x))
    for moment, mean in zip(line.moments, (3, 1.5, 1), strict=True):
        q = np.exp(-2 * (x - mean) ** 2) / math.sqrt(math.pi / 2)
        seen = (p + q) * ((x > float(line.data.low)) & (x < float(line.data.high)))
        gap = (seen * np.abs(d - p / (p + q))).sum() / seen.sum()
        assert abs(moment.gap - gap) < 0.015
    best = line.shown(line.moments[2])
    seen = best[best.isfinite()]
    assert len(best) == 256 and 100 < len(seen) < 230 and abs(seen - 0.5).mean() < 0.05


def test_in_the_plane_both_are_blurred_alike(plane):
    assert not plane.exact and plane.known and 0.02 < plane.bandwidth < 0.2
    first, one_mode, same = plane.moments
    assert first.js > 0.65, "nothing in common"
    # q is a quarter of p, so m = (p + q) / 2 is 5/8 on that mode and 3/8 on the others.
    expected = 0.5 * (0.75 * math.log(2) + 0.25 * math.log(2 / 5) + math.log(8 / 5))
    assert abs(one_mode.js - expected) < 0.02
    assert same.js < 2 * plane.noise < 0.03
    best = plane.shown(one_mode)
    middle = (torch.tensor([1.0, 0.0]) - plane.data.low) / (plane.data.high - plane.data.low) * 128
    other = (torch.tensor([-1.0, 0.0]) - plane.data.low) / (plane.data.high - plane.data.low) * 128
    assert abs(best[tuple(middle.long())] - 0.2) < 0.05 and best[tuple(other.long())] > 0.99
    assert math.isnan(best[0, 0])


def test_the_units_of_the_data_do_not_matter(tmp_path, line):
    data, far = common(LINE, offset=1.0, scale=0.25), torch.arange(2_048, dtype=torch.float64) + 0.5
    samples = ((3 + 0.5 * torch.special.ndtri(far / 2_048)) - 1) / 0.25
    moment = film(written(tmp_path, LINE, data, [frame(data, 0, samples[:, None])])).moments[0]
    assert abs(moment.js - line.moments[0].js) < 2e-3 and moment.gap is None


def test_the_density_of_own_points_is_estimated(tmp_path, plane):
    recipe = replace(PLANE, data=InMemory("mine"))
    data = common(PLANE)
    own = film(written(tmp_path, recipe, data, [one.frame for one in plane.moments]))
    assert not own.known and not own.exact
    for mine, known in zip(own.moments, plane.moments, strict=True):
        assert abs(mine.js - known.js) < 0.03
    assert 0 < own.noise < 0.05 and own.moments[2].js < 2 * own.noise
    for std in (0.0, 1e-3):  # without a density, and one that is 0 in the middle of all 128 x 128 cells
        narrow = replace(PLANE, data=Ring(modes=4, radius=1.0, std=std))
        assert not film(written(tmp_path / str(std), narrow, common(narrow), [plane.moments[0].frame])).known


def test_on_the_line_too_both_are_blurred_alike(tmp_path, line):
    narrow = replace(LINE, data=InMemory("mine"))
    data = replace(common(LINE), real=torch.full((2_000, 1), 1.0))
    one = frame(data, 0, torch.full((2_048, 1), 1.0))
    same = film(written(tmp_path, narrow, data, [one]))
    assert same.exact and not same.known and same.bandwidth > 0 and line.bandwidth == 0
    assert same.moments[0].js < 1e-12 and same.noise < 1e-12


def test_an_estimate_at_a_point_is_that_of_the_others(tmp_path):
    real = torch.tensor([[-1.0, 0.0], [1.0, 0.0]])
    data = FrameData.of(real, torch.zeros(2).double(), torch.ones(2).double())
    one = frame(data, 0, torch.zeros(4, 2), score=lambda x: torch.full((len(x),), -99.0))
    found = film(written(tmp_path, replace(PLANE, data=InMemory("mine")), data, [one]))
    near, middle, far = (math.exp(-((d / found.bandwidth) ** 2) / 2) for d in (0, 1, 2))
    expected = (far / (far + middle) + middle / (middle + near)) / 2  # of a real point and of a generated one
    assert abs(found.moments[0].gap - expected) < 0.01


def test_only_a_probability_has_an_optimum(tmp_path):
    data = common(PLANE)
    one = frame(data, 0, torch.zeros(64, 2), score=lambda x: x[:, 0])
    for n, (objective, optimum, bound, score) in enumerate(
        [
            (Minimax(), True, True, "D(x)"),
            (Minimax(real_label=0.9), True, False, "D(x)"),
            (LeastSquares(), True, False, "D(x)"),
            (Wasserstein(), False, False, "D's score"),
            (Hinge(), False, False, "D's score"),
            (Relativistic(), False, False, "D's score"),
        ]
    ):
        found = film(written(tmp_path / str(n), replace(PLANE, objective=objective), data, [one]))
        assert (found.optimum, found.bound, found.score) == (optimum, bound, score)
        assert (found.moments[0].gap is None) != optimum
        torch.testing.assert_close(found.field(one), found.probability(one.field).double())
    assert torch.equal(found.probability(one.field), one.field.float()), "a score stays a score"


def test_the_witness_of_mmd_is_what_separates_the_sets(tmp_path):
    objective = MMD(GaussianKernel((0.5, 1.0)))
    recipe = replace(LINE, objective=objective, discriminator=IdentityDiscriminator(), n_critic=0)
    found = film(line_run(tmp_path, recipe, score=None))
    assert found.score == "witness of MMD" and not found.optimum and found.moments[0].gap is None
    witness = found.field(found.frames[0])
    places = found.data.lattice[:, 0]
    assert witness[(places - 1).abs().argmin()] > 0.3 and witness[(places - 3).abs().argmin()] < -0.3
    by_hand = sum(
        torch.exp(-((found.data.real[:, 0] - 1.0) ** 2) / (2 * s**2)).mean()
        - torch.exp(-((found.frames[0].samples[:, 0] - 1.0) ** 2) / (2 * s**2)).mean()
        for s in (0.5, 1.0)
    )
    assert abs(float(witness[(places - 1).abs().argmin()]) - float(by_hand)) < 0.05


def test_samples_that_are_nan_are_an_error_in_one_sentence(tmp_path):
    data = common(PLANE)
    run = written(tmp_path, PLANE, data, [frame(data, 0, torch.full((64, 2), math.nan))])
    with pytest.raises(ValueError, match="estimated from points, and some of these are nan"):
        _ = film(run).moments


def test_parts_of_unknown_classes_are_not_needed(tmp_path, line):
    run = written(tmp_path, LINE, line.data, [moment.frame for moment in line.moments])
    text = run.recipe_text
    for part, name in ((LINE.data, "Mine"), (LINE.latent, "MyLatent"), (LINE.objective, "MyObjective")):
        assert text.count(repr(part)) == 1
        text = text.replace(repr(part), f"{name}()")
    (tmp_path / "recipe.txt").write_text(text)
    found = film(Run(tmp_path))
    assert not (found.exact or found.known or found.optimum or found.bound) and found.score == "D's score"
    assert found.moments[2].js < 0.05 < found.moments[1].js and found.moments[0].gap is None


def test_a_run_without_frames_has_no_film(tmp_path):
    (tmp_path / "recipe.txt").write_text("Recipe(")
    with pytest.raises(ValueError, match="Recipe"):
        film(Run(tmp_path))
    plain = line_run(tmp_path / "plain")
    for file in (tmp_path / "plain" / "frames").iterdir():
        file.unlink()
    assert film(plain) is None
