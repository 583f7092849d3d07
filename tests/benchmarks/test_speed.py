"""Benchmarks of the training step: times, memory and scores."""

import json
from dataclasses import replace

import pytest
import torch
from benchmarks.quality import precision
from benchmarks.speed import speed, speed_memory, speed_steps

from zerosum.networks.layers import residual
from zerosum.recipes.named_recipes import named


class Clock:
    """A process whose iterations take the given seconds, one answer after another."""

    def __init__(self, answers):
        self.answers = iter(answers)

    def ask(self, word):
        spent = next(self.answers) * int(word)
        return {"wall": spent, "processor": spent / 2}


def test_ratios_are_medians_over_turns_of_the_first_steps_time_over_each(monkeypatch):
    times = {"usual": [9.0, 4.0, 6.0, 5.0], "best": [9.0, 2.0, 2.0, 5.0]}
    asked = []

    class Context:
        def __init__(self, words, threads):
            asked.append((words[-2:], threads))
            self.player = Clock(times[words[-1]])

        def __enter__(self):
            return self.player

        def __exit__(self, *_):
            return None

    monkeypatch.setattr(speed, "player", Context)
    first, second = speed.measure(speed.Comparison("dcgan", ("usual", "best"), 3, (1.6,), 1), 3, "wall")
    assert asked == [(["dcgan", "usual"], 1), (["dcgan", "best"], 1)]
    assert (first.ratio, first.seconds, first.target) == (1, 5, None)
    assert (second.ratio, second.low, second.high, second.seconds, second.target) == (2, 1, 3, 2, 1.6)
    assert "| dcgan | best | 1 | 2000.0 | 2.000 | 1.00 to 3.00 | 1.60 |" in speed.table([first, second])


def test_growth_is_a_slope():
    assert speed_memory.slope([0.0, 1.0, 2.0, 3.0], [5.0, 7.0, 9.0, 11.0]) == pytest.approx(2)
    assert speed_memory.slope([1.0, 2.0, 3.0], [4.0, 5.0, 4.0]) == pytest.approx(0)


def test_memory_is_watched_of_the_run_itself():
    found = speed_memory.watched(4)
    assert found["iterations"] == 4
    assert 50 < found["peak in MB"] < 4000


def test_every_step_that_is_compared_is_there():
    for comparisons in speed.COMPARISONS.values():
        for one in comparisons:
            assert len(one.targets) == len(one.steps) - 1
            assert speed_steps.recipe_of(one.game).batch > 0
    with pytest.raises(ValueError, match="unknown game 'chess'"):
        speed_steps.recipe_of("chess")
    with pytest.raises(ValueError, match="unknown step 'giant'"):
        speed_steps.step_of("digits", "giant")


def test_a_step_of_ours_is_an_iteration_of_the_loop(monkeypatch):
    recipe = replace(named("digits"), batch=8)
    networks = {name: replace(getattr(recipe, name), size=4) for name in ("generator", "discriminator")}
    recipe = replace(recipe, **networks)
    monkeypatch.setattr(speed_steps, "recipe_of", lambda game: recipe)
    iteration = speed_steps.step_of("digits", "best")
    iteration()
    assert iteration.__self__.game.images == 8
    speed_steps.step_of("digits", "bare")()


def test_the_usual_blocks_are_those_of_the_papers(monkeypatch):
    block, h = residual.DownBlock(2, 3, True, "none"), torch.randn(1, 2, 4, 4)
    ours = block(h)
    for name in ("convolved_and_halved", "raised_and_convolved"):
        monkeypatch.setattr(residual, name, getattr(residual, name))
    speed_steps.as_published()
    assert residual.convolved_and_halved.__module__ == "benchmarks.speed.speed_steps"
    torch.testing.assert_close(block(h), ours)


def test_bfloat16_passes_within_the_range_of_float32_or_beyond_it_for_the_better():
    assert precision.within([7.0, 8.0], [7.0, 8.0], more_is_better=True)
    assert precision.within([9.0], [7.0, 8.0], more_is_better=True)
    assert not precision.within([6.0], [7.0, 8.0], more_is_better=True)
    assert not precision.within([9.0], [7.0, 8.0], more_is_better=False)
    found = {"kind": "modes", "found": 8, "high_quality": 0.97}
    made = precision.rows("ring", {"float32": [found], "bfloat16": [found | {"found": 7}]})
    assert [row[-1] for row in made] == ["no", "yes"]


def test_a_run_is_what_its_folder_says(tmp_path):
    run = precision.Run("ring", "bfloat16", 3, 100)
    assert (run.recipe.precision, run.recipe.seed, run.recipe.images) == ("bfloat16", 3, 100)
    assert run.folder(tmp_path) == tmp_path / "ring-100" / "bfloat16-3"
    assert json.dumps(str(run)) == '"ring in bfloat16, seed 3"'
