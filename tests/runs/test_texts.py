"""A run of texts: resumed bit for bit, loaded, sampled as texts and as images, and written as lines."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest
import safetensors.torch
import torch

from zerosum.cli import main
from zerosum.data import Expressions, Lines
from zerosum.game import Gumbel
from zerosum.game.pretraining import PretrainedGame
from zerosum.networks import MLPDiscriminator, TextGenerator
from zerosum.recipes.named_recipes import named
from zerosum.runs import load, sample_texts
from zerosum.training.train import train

RECIPE = replace(
    named("text"), data=Expressions(length=5, count=300), latent=Gumbel(35), generator=TextGenerator(size=8),
    discriminator=MLPDiscriminator(hidden=(8,)), batch=16, images=128, tick=32, snapshot=64,
)  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return train(RECIPE, tmp_path_factory.mktemp("text") / "run", quiet=True)


class Killed(BaseException):
    """Stands for a death without a last word."""


def test_a_resumed_run_ends_where_an_uninterrupted_one_does(run, tmp_path, monkeypatch):
    step, seen = PretrainedGame.step, []

    def counted(self, batches):
        seen.append(1)
        if len(seen) == 7:
            raise Killed
        return step(self, batches)

    with monkeypatch.context() as patched:
        patched.setattr(PretrainedGame, "step", counted)
        with pytest.raises(Killed):
            train(RECIPE, tmp_path / "run", quiet=True)
    again = train(RECIPE, tmp_path / "run", quiet=True)
    assert len(seen) == 7, "64 of 128 images were kept"
    for name in ("generator.safetensors", "pretrained.safetensors", "samples/000000128.png"):
        assert (again.path / name).read_bytes() == (run.path / name).read_bytes()


def test_texts_are_those_of_the_images(run):
    generator = load(run)
    assert (generator.shape, generator.coding.alphabet) == ((7, 1, 5), "()*+xy")
    texts, images = sample_texts(generator, 600, seed=3), generator.sample(600, seed=3)
    assert len(texts) == 600 and images.shape == (600, 11, 30, 1) and sample_texts(generator, 5, seed=3) == texts[:5]
    drawn = generator.coding.images(generator.coding.codes(texts, 5)).permute(0, 2, 3, 1).numpy()
    assert np.array_equal(images, drawn) and len({*texts}) > 50
    cold = replace(generator, recipe=replace(generator.recipe, latent=Gumbel(35, scale=0.0)))
    assert len({*sample_texts(cold, 20)}) == 1


def test_pretraining_is_by_likelihood_alone_and_the_game_follows(run):
    log = run.log
    assert {"D/loss" in line for line in log[:1]} == {False} and "D/loss" in log[-1]
    assert load(run, generator="pretrained").recipe == load(run).recipe


def test_the_command_writes_lines_and_the_report_shows_images(run, tmp_path, monkeypatch, capsys):
    target = tmp_path / "texts.txt"
    monkeypatch.setattr(sys, "argv", ["zerosum", "sample", str(run), "--n", "7", "--out", str(target), "--json"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0 and json.loads(capsys.readouterr().out)["n"] == 7
    assert target.read_text() == "".join(f"{text}\n" for text in sample_texts(load(run), 7))
    other = train(replace(named("gaussian"), images=32, batch=16), tmp_path / "other", quiet=True)
    monkeypatch.setattr(sys, "argv", ["zerosum", "sample", str(other), "--out", str(tmp_path / "other.txt")])
    with pytest.raises(SystemExit):
        main()
    assert "the samples of this gaussian generator are not texts" in capsys.readouterr().err
    assert not (tmp_path / "other.txt").exists()
    again = Lines(str(target)).open()
    assert again.count == len([text for text in sample_texts(load(run), 7) if text])
    assert "Samples over time" in run.report.read_text()
    monkeypatch.setattr(sys, "argv", ["zerosum", "data", "info", repr(RECIPE.data), "--sheet", str(tmp_path / "s.png")])
    with pytest.raises(SystemExit):
        main()
    assert "expressions: 300 texts (symbols x 1 x characters) of 7 x 1 x 5" in capsys.readouterr().out


def test_other_generators_have_no_texts_and_mismatched_files_are_refused(run, tmp_path):
    generator = load(run)
    with pytest.raises(ValueError, match="the samples of this text generator are not texts"):
        sample_texts(replace(generator, coding=None), 1)
    with pytest.raises(ValueError, match="n should be at least 1; found 0"):
        sample_texts(generator, 0)
    file = tmp_path / "g.safetensors"
    with safetensors.safe_open(run.path / "generator.safetensors", "pt") as opened:
        tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
        facts = json.loads(opened.metadata()["zerosum"])
    facts["coding"]["text"] = "xy"
    tensors["coding/glyphs"] = torch.zeros(3, 11, 6, dtype=torch.uint8)
    file.write_bytes(safetensors.torch.save(tensors, {"zerosum": json.dumps(facts)}))
    with pytest.raises(ValueError, match=r"texts of 3 symbols have the shape \(V, 1, L\); found \(7, 1, 5\)"):
        load(file)
