"""The benchmark of texts: its baselines, its temperatures and its page."""

from collections import Counter
from dataclasses import replace

import pytest
import torch
from benchmarks.quality import text as subject

from zerosum.data import Expressions
from zerosum.game import Gumbel
from zerosum.networks import TextGenerator
from zerosum.recipes.named_recipes import named
from zerosum.runs.generator import TrainedGenerator
from zerosum.terms import MaximumLikelihood


def test_the_chain_has_the_pairs_of_the_texts_and_their_frequencies():
    made = subject.chained(["ab", "ab", "b"], 3_000)
    # a starts 2 of 3, and b always follows it; b ends a text.
    assert {*made} == {"ab", "b"} and Counter(made)["ab"] == pytest.approx(2_000, abs=80)
    assert subject.chained(["ab", "ab", "b"], 10) == made[:10]
    assert max(map(len, subject.chained(["aaaa"], 200))) == 4
    found = subject.scores(subject.chained(Expressions().texts(), 2_000), Expressions())
    assert 0.3 < found.valid < 0.75, "pairs of characters do not count brackets"


def test_new_strings_of_the_grammar_are_all_valid_and_cover_the_short_ones():
    found = subject.scores(Expressions(seed=1, count=subject.COUNT).texts(), Expressions())
    assert found.valid == 1 and found.covered == 1 and found.ngrams < 0.03


def test_a_temperature_scales_the_noise_alone():
    module = TextGenerator(4).build(77, (7, 1, 11), None)
    generator = TrainedGenerator(named("text"), module, (7, 1, 11), 0)
    cold = subject.at_temperature(generator, 0.5)
    assert cold.recipe == replace(generator.recipe, latent=Gumbel(77, 0.5)) and cold.module is module
    assert torch.allclose(cold.latents(3), generator.latents(3) / 2)


def test_the_twin_is_the_same_network_without_a_game():
    (game,), (twin,) = subject.plan(["text"], (), subject.OUT), subject.plan(["text"], subject.TWIN, subject.OUT)
    assert twin.recipe.g_terms == (MaximumLikelihood(),) and twin.recipe.pretrain == 0.99
    same = ("generator", "latent", "data", "images", "batch", "seed", "ema")
    assert all(getattr(twin.recipe, name) == getattr(game.recipe, name) for name in same)
    assert twin.folder != game.folder
    assert "<!-- text: written by benchmarks.quality.text -->" in subject.PAGE.read_text(encoding="utf-8")
