"""Every application at tiny size: it trains, dies, resumes to the same bits, and shows its conditions."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import zerosum
from zerosum.conditions import Image, Text
from zerosum.data.held_out import HoldsOut, held_out
from zerosum.evaluation import EvaluationConfig, evaluate
from zerosum.game.game import Game
from zerosum.networks import Blind
from zerosum.recipes.library import applications
from zerosum.recipes.named_recipes import catalogue
from zerosum.report.write import write_report
from zerosum.runs.checkpoint import newest_checkpoint
from zerosum.training.train import train

NAMES = [name for name, make in catalogue().items() if make.__module__ == applications.__name__]


class Died(BaseException):
    """As if the process had been killed: nothing is saved."""


def tiny(name):
    recipe = catalogue()[name]()
    blind = isinstance(recipe.discriminator, Blind)
    D = replace(recipe.discriminator.discriminator if blind else recipe.discriminator, size=4)
    D = Blind(D) if blind else D
    further = {"blocks": 1} if "blocks" in vars(recipe.generator) else {}
    sizes = {"batch": 8, "images": 64, "tick": 16, "snapshot": 32, "precision": "float32"}
    return replace(recipe, generator=replace(recipe.generator, size=4, **further), discriminator=D, **sizes)


@pytest.mark.parametrize("name", NAMES)
def test_it_resumes_to_the_same_bits_and_shows_its_conditions(name, tmp_path, monkeypatch, plotless):
    recipe = tiny(name)
    straight = train(recipe, tmp_path / "straight", quiet=True)
    update, updates = Game.update_G, []

    def dying(game, batch):
        updates.append(1)
        if len(updates) == 7:
            raise Died
        return update(game, batch)

    with monkeypatch.context() as patched:
        patched.setattr(Game, "update_G", dying)
        with pytest.raises(Died):
            train(recipe, tmp_path / "run", quiet=True)
    again = train(recipe, tmp_path / "run", quiet=True)
    one, other = (newest_checkpoint(Path(run))[1].groups for run in (straight, again))
    assert one.keys() == other.keys()
    assert all(torch.equal(group[key], other[at][key]) for at, group in one.items() for key in group)
    page = write_report(again).read_text()
    kind = again.generator.condition
    assert isinstance(recipe.data, HoldsOut) and held_out(recipe.data).part == "test"
    if isinstance(kind, Text):
        assert "Caption by caption" in page and f'alt="generated: {kind.caption(kind.examples[0])}"' in page
        return
    assert isinstance(kind, Image)
    assert 'alt="condition: condition 1"' in page and 'alt="generated: condition 1"' in page
    assert ('alt="real: condition 1"' in page) == kind.paired
    if kind.paired:
        scores = evaluate(held_out(recipe.data), again.generator, ("psnr",), EvaluationConfig(device="cpu", n=8))
        assert np.isfinite(scores.values["psnr"])
    assert zerosum.load(again).sample(3, seed=1).shape[0] == 3


def test_they_are_those_of_the_page():
    page = (Path(__file__).parents[2] / "docs" / "applications.md").read_text()
    assert all(f"systems/{name}.md" in page for name in NAMES) and len(NAMES) == 9
