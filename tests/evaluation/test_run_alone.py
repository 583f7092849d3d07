"""`zerosum evaluate RUN` scores a run against its own data, with the features of its evaluations."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest

from zerosum.cli import main
from zerosum.data.toys.gaussians import Ring
from zerosum.networks.mlp import MLPDiscriminator, MLPGenerator
from zerosum.objectives.logistic import NonSaturating
from zerosum.recipes.evaluation import Evaluation
from zerosum.recipes.recipe import Recipe
from zerosum.training.train import train

SMALL = Recipe(
    name="small",
    data=Ring(count=200),
    generator=MLPGenerator(hidden=(8,)),
    discriminator=MLPDiscriminator(hidden=(8,)),
    objective=NonSaturating(),
    batch=16,
    images=64,
    tick=32,
    snapshot=64,
)


def scored(monkeypatch, capsys, *words, code=0):
    monkeypatch.setattr(sys, "argv", ["zerosum", "evaluate", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == code
    found = capsys.readouterr()
    return json.loads(found.out) if code == 0 else found.err


def test_a_run_alone_is_scored_as_against_its_data(tmp_path, monkeypatch, capsys):
    run = train(SMALL, tmp_path / "run", quiet=True)
    alone = scored(monkeypatch, capsys, run, "--n", "100", "--json")
    both = scored(monkeypatch, capsys, "Ring(count=200)", run, "--n", "100", "--json")
    assert alone["scores"] == both["scores"] and {"fid", "kid"} <= alone["scores"].keys()
    assert alone["protocol"]["real.content"] == both["protocol"]["real.content"]


def test_features_are_those_of_its_evaluations(tmp_path, monkeypatch, capsys):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 1), np.uint8)
    np.savez(tmp_path / "few.npz", images=pixels)
    plan = Evaluation(("fid",), features="pixels", n=32, every=64)
    run = train(replace(SMALL, evaluation=plan), tmp_path / "run", data=tmp_path / "few.npz", quiet=True)
    found = scored(monkeypatch, capsys, run, "--metrics", "fid", "--n", "32", "--json")
    assert found["protocol"]["features.name"] == "pixels"


def test_a_set_alone_is_still_refused(tmp_path, monkeypatch, capsys):
    assert "unless it is a run folder" in scored(monkeypatch, capsys, "Ring(count=200)", code=1)
