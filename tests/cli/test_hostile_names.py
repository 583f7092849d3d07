"""Names that somebody else chose, on a terminal and on a disk."""

import sys

import numpy as np
import pytest
import torch
from PIL import Image

from zerosum.cli import main
from zerosum.cli._output import echo
from zerosum.cli.sample import sample
from zerosum.conditions.labels import Labels
from zerosum.evaluation.scores import Scores, write_scores
from zerosum.game.latents import Normal
from zerosum.networks.mlp import MLPDiscriminator, MLPGenerator
from zerosum.objectives.wasserstein import Hinge
from zerosum.recipes.recipe import Recipe
from zerosum.runs.generator import TrainedGenerator, build_generator, generator_bytes
from zerosum.training.progress import TrainingProgress

ESCAPE = "\x1b]0;title\x07\x1b[2J"
SHOWN = r"\x1b]0;title\x07\x1b[2J"


def file_of(path, *classes):
    recipe = Recipe(
        name="tiny",
        generator=MLPGenerator(hidden=(8,)),
        discriminator=MLPDiscriminator(hidden=(8,)),
        objective=Hinge(),
        latent=Normal(3),
        conditional=True,
    )
    torch.manual_seed(0)
    condition = Labels(len(classes), classes=classes)
    module = build_generator(recipe, (1, 4, 4), condition).eval()
    path.write_bytes(generator_bytes(TrainedGenerator(recipe, module, (1, 4, 4), 7, condition)))
    return path


@pytest.mark.parametrize("name", ["../../x", "..", ".", "", "a/b", "/tmp/x", "a\\b", "a\0b", ESCAPE])
def test_a_class_that_is_no_name_for_a_folder_leads_nowhere(tmp_path, name):
    file = file_of(tmp_path / "g.safetensors", "cat", name)
    with pytest.raises(ValueError, match=r"cannot be a folder name: write to FILE\.npz") as caught:
        sample(file, n=4, out=tmp_path / "deep" / "out")
    assert str(caught.value).isprintable()
    assert [p.name for p in tmp_path.rglob("*.png")] == []
    sample(file, n=4, out=tmp_path / "arrays.npz")
    with np.load(tmp_path / "arrays.npz") as arrays:
        assert len(arrays["images"]) == 4


def test_errors_on_a_terminal_are_text(tmp_path, monkeypatch, capsys):
    file = file_of(tmp_path / "g.safetensors", "cat", ESCAPE)
    monkeypatch.setattr(sys, "argv", ["zerosum", "sample", str(file), "--class", "dog"])
    with pytest.raises(SystemExit):
        main()
    output = capsys.readouterr().err
    assert "no class 'dog'; there are cat, \\x1b]0;title\\x07\\x1b[2J" in output
    assert "\x1b" not in output and "\x07" not in output


def test_what_a_run_says_is_text_too(capsys):
    TrainingProgress(10).say(f"120 samples of {ESCAPE}\udcff")
    assert capsys.readouterr().err == "120 samples of \\x1b]0;title\\x07\\x1b[2J\\udcff\n"


def ran(monkeypatch, capsys, *arguments):
    """The output of a command, standard error after standard output."""
    monkeypatch.setattr(sys, "argv", ["zerosum", *map(str, arguments)])
    with pytest.raises(SystemExit):
        main()
    return "".join(capsys.readouterr())


def test_names_of_data_on_a_terminal_are_text(tmp_path, monkeypatch, capsys):
    home = tmp_path / f"data{ESCAPE}"
    for name in (f"cat{ESCAPE}", "dog\nfake line"):
        (home / name).mkdir(parents=True)
        for index in range(2):
            Image.new("L", (8, 8), 100 * index).save(
                home / name / "x.png" if not index else home / name / f"{ESCAPE}.png"
            )
    (home / "dog\nfake line" / f"broken\n{ESCAPE}.png").write_bytes(b"nothing")
    sheet = tmp_path / "sheet.png"
    checked = ran(monkeypatch, capsys, "data", "check", home)
    assert f"broken\\n{SHOWN}.png: " in checked and "\x1b" not in checked and "\nfake line" not in checked
    (home / "dog\nfake line" / f"broken\n{ESCAPE}.png").unlink()
    shown = ran(monkeypatch, capsys, "data", "info", home, "--sheet", sheet)
    assert f"cat{SHOWN} (2), dog\\nfake line (2)" in shown and "\x1b" not in shown and "\nfake line" not in shown


def test_names_of_scores_on_a_terminal_are_text(tmp_path, monkeypatch, capsys):
    files = [tmp_path / f"{name}{ESCAPE}.json" for name in "ab"]
    protocol = {
        "real.n": 2,
        "real.content": "x",
        "fake.n": 2,
        "features.name": "pixels",
        "shape": "2",
        "device": ESCAPE,
    }
    for number, file in enumerate(files):
        scores = {f"fid{ESCAPE}": 1.0 + number}
        write_scores(
            file, Scores(scores, {}, {**protocol, "device": f"{number}{ESCAPE}"}, better=dict.fromkeys(scores, ""))
        )
    shown = ran(monkeypatch, capsys, "compare", *files)
    assert f"fid{SHOWN}" in shown and f"a{SHOWN}.json" in shown and f"device: 0{SHOWN}" in shown
    assert "\x1b" not in shown and "\x07" not in shown


def test_whatever_a_command_prints_is_text(capsys):
    echo(f"{ESCAPE}\nfake", "second")
    assert capsys.readouterr().out == f"{SHOWN}\\nfake\nsecond\n"
