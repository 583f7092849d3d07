"""Scores of texts: those of a data set against another, and of a generator against its data."""

from dataclasses import replace

import pytest
import torch

from zerosum.data import Digits, Expressions
from zerosum.evaluation import EvaluationConfig, evaluate
from zerosum.evaluation.measures.strings import StringMeasure
from zerosum.evaluation.sets import open_set
from zerosum.game import Gumbel
from zerosum.metrics.jackknife import jackknife, leave_one_out
from zerosum.probes import string_scores
from zerosum.recipes import text
from zerosum.runs import TrainedGenerator, sample_texts

CONFIG = EvaluationConfig(device="cpu", cache=False)
REAL, OTHER = Expressions(count=400), Expressions(count=60, seed=1)
NAMES = ("ngrams", "words", "novel", "distinct")


class Noise(torch.nn.Module):
    """G(z): the largest symbols of the latent."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(()))

    def forward(self, z):
        return self.weight * z.view(len(z), -1, 1, 11)


def test_the_scores_are_those_of_the_texts_with_their_errors():
    found = evaluate(REAL, OTHER, ("strings",), CONFIG)
    expected = string_scores(OTHER.texts(), REAL.texts())
    assert {name: found.values[name] for name in NAMES} == pytest.approx({n: getattr(expected, n) for n in NAMES})
    assert 0 < found.values["novel"] < 1 and found.better == dict(
        zip(NAMES, ("lower", "higher", "", "higher"), strict=True)
    )
    one = evaluate(OTHER, OTHER, (StringMeasure(n=1),), CONFIG)
    assert one.values["ngrams"] == one.values["novel"] == 0 and one.values["words"] == 1


def test_the_error_leaves_out_groups_of_texts_in_the_order_of_the_sample():
    found = evaluate(REAL, OTHER, ("strings",), CONFIG)
    sample = open_set(OTHER).take(60, 0).texts()
    assert sorted(sample) == sorted(OTHER.texts()) and sample != OTHER.texts()
    estimates = [
        string_scores([sample[row] for row in rows], REAL.texts()).ngrams for rows in leave_one_out(torch.arange(60))
    ]
    assert found.errors["ngrams"] == pytest.approx(jackknife(estimates))


def test_texts_are_there_beside_features_from_the_cache():
    config = replace(CONFIG, features="pixels", cache=True)
    first, again = (evaluate(REAL, OTHER, ("strings", "kid"), config).values for _ in range(2))
    assert first == again and first["novel"] == evaluate(REAL, OTHER, ("strings",), CONFIG).values["novel"]


def test_a_generator_is_scored_by_the_texts_that_it_samples():
    coding = REAL.open().coding
    symbols = len(coding.alphabet) + 1
    recipe = replace(text(), latent=Gumbel(symbols * 11))
    generator = TrainedGenerator(recipe, Noise(), (symbols, 1, 11), 0, None, coding=coding)
    found = evaluate(REAL, generator, ("strings",), replace(CONFIG, n=50))
    drawn = open_set(REAL).take(50, 0).texts()
    expected = string_scores(sample_texts(generator, 50), drawn)
    assert found.values["ngrams"] == pytest.approx(expected.ngrams)
    assert found.values["words"] == pytest.approx(expected.words)


def test_what_is_no_text_is_refused():
    with pytest.raises(ValueError, match="digits has no texts, but a requested metric needs them: remove that metric"):
        evaluate(Digits(), Digits(), ("strings",), CONFIG)
