"""Parts of one's own by whole commands: trained in Python or from a file, then sampled, scored, reported, continued."""

import json
from pathlib import Path

import pytest
from tests.forked import python

SMALL = "name='own', images=64, batch=16, tick=32, snapshot=64"
OBJECTIVE = f"""
from dataclasses import dataclass, replace
from typing import ClassVar

import zerosum
from zerosum.networks import MLPDiscriminator, MLPGenerator
from zerosum.recipes import ring


@dataclass(frozen=True)
class Exponential:
    reads_real: ClassVar[bool] = False

    def d_loss(self, real, fake):
        return (-real).exp().mean() + fake.exp().mean()

    def g_loss(self, fake, real=None):
        return -fake.mean()


def gap(real, fake):
    return float((real.mean(0) - fake.mean(0)).norm())


recipe = replace(
    ring(), objective=Exponential(), generator=MLPGenerator(hidden=(8,)), discriminator=MLPDiscriminator(hidden=(8,)),
    {SMALL}
)
"""
NETWORKS = f"""
from dataclasses import replace

from torch import nn

import zerosum
from zerosum.recipes import Recipe, ring


class Player(nn.Module):
    def __init__(self, inputs, outputs, width=8):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, outputs))

    def forward(self, x):
        return self.body(x)


def recipe() -> Recipe:
    return replace(ring(), generator=Player({{z}}, 2), discriminator=Player(2, 1), {SMALL})
""".replace("{z}", "2")
EVALUATION = """
from dataclasses import dataclass
from types import MappingProxyType

from zerosum.evaluation import Needs, Score, ScoreInfo


def gap(real, fake):
    return float((real.mean(0) - fake.mean(0)).norm())


def corners(images):
    return images.float().flatten(1)[:, [0, 300, 400, -1]] / 255


@dataclass(frozen=True)
class Spread:
    name = "spread"
    needs = Needs(fake=frozenset({"features"}))
    gives = MappingProxyType({"spread": ScoreInfo("higher", "Mean squared norm.")})
    how = "mean"

    def __call__(self, inputs):
        return {"spread": Score(float(inputs.fake.features.square().sum(1).mean()))}
"""
MAIN = "\n\nif __name__ == '__main__':\n    zerosum.train(recipe{call}, 'runs/own', quiet=True)\n"


@pytest.fixture
def command(tmp_path):
    def run(*words, code=0):
        done = python("-m", "zerosum", *words, cwd=tmp_path)
        assert done.returncode == code, done.stderr
        return done

    return run


def in_python(tmp_path, text):
    (tmp_path / "mine.py").write_text(text)
    done = python("mine.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    return tmp_path / "runs" / "own"


def test_an_own_objective_trained_in_python_is_used_by_commands(tmp_path, command):
    run = in_python(tmp_path, OBJECTIVE + MAIN.replace("{call}", ""))
    page = (run / "report.html").read_text()
    command("sample", run, "--n", 16, "--out", "samples.npz")
    command("report", run)
    assert (run / "report.html").read_text() == page
    command("evaluate", "Ring(count=64)", run, "--n", 64)
    scored = ("evaluate", "Ring(count=64)", run, "--n", 64, "--metrics", "fid,gap", "--json")
    assert json.loads(command(*scored, "--use", "mine.py").stdout)["scores"]["gap"] > 0
    assert "unknown metric 'gap'" in command(*scored, code=1).stderr
    unknown = command("train", run / "recipe.txt", "--out", "runs/again", code=1).stderr
    assert unknown == (
        "zerosum: unknown class 'Exponential': if it is yours, pass --use FILE.py (or known= in Python); "
        "or did you mean ExponentialDistribution?\n"
    )
    done = command("train", run / "recipe.txt", "--use", "mine.py", "--out", "runs/again")
    assert done.stderr.endswith("sample with  zerosum sample runs/again --use mine.py\n")
    for name in ("generator.safetensors", "recipe.txt"):
        assert (tmp_path / "runs/again" / name).read_bytes() == (run / name).read_bytes()
    command("train", "mine.py", "--out", "runs/file")
    assert (tmp_path / "runs/file/generator.safetensors").read_bytes() == (run / "generator.safetensors").read_bytes()
    noted = json.loads((tmp_path / "runs/file/versions.json").read_text())
    assert noted["class Exponential"].startswith("mine.py, sha256 ")
    assert "--use mine.py" in (tmp_path / "runs/again/command.txt").read_text()


def test_own_metrics_and_features_are_used_in_a_run(tmp_path, command):
    (tmp_path / "mine.py").write_text(EVALUATION)
    often = ["--images", 64, "--set", "evaluation.every=32", "--set", "evaluation.n=20"]
    small = [f"--set={part}=MLP{part.capitalize()}(hidden=(8,))" for part in ("generator", "discriminator")]
    scored = ["--evaluate", "gap,Spread", "--set", "evaluation.features='corners'", "--set", "evaluation.best=spread"]
    given = ("train", "digits", *small, *often, *scored, "--out", "runs/scored")
    done = command(*given, "--use", "mine.py", "--json")
    scores = json.loads(done.stdout)["scores"]
    assert {"gap", "gap_error", "spread", "best_spread"} <= scores.keys()
    text = (tmp_path / "runs/scored/recipe.txt").read_text()
    assert "metrics=('gap', 'Spread')" in text and "features='corners'" in text and "mine" not in text
    noted = json.loads((tmp_path / "runs/scored/versions.json").read_text())
    assert all(noted[f"class {name}"].startswith("mine.py, sha256 ") for name in ("gap", "Spread", "corners"))
    again = ("train", "runs/scored/recipe.txt", "--out", "runs/again")
    assert "unknown metric 'gap'" in command(*again, code=1).stderr
    command(*again, "--use", "mine.py")
    files = [tmp_path / "runs" / name / "best.safetensors" for name in ("scored", "again")]
    assert files[0].read_bytes() == files[1].read_bytes()
    command("sample", "runs/scored", "--best", "--n", 4, "--out", "best.npz")
    command("report", "runs/scored")
    other = ("evaluate", "Digits()", "runs/scored", "--n", 20, "--metrics", "gap,Spread", "--features", "corners")
    found = json.loads(command(*other, "--use", "mine.py", "--json").stdout)
    assert found["scores"]["gap"] == pytest.approx(scores["gap"], rel=1e-5)
    assert found["protocol"]["features.name"] == "corners"


def test_an_own_network_is_used_by_commands(tmp_path, command):
    run = in_python(tmp_path, NETWORKS + MAIN.replace("{call}", "()"))
    missing = command("sample", run, "--out", "samples.npz", code=1).stderr
    assert missing.startswith("zerosum: Player is a network defined in Python: pass --use FILE.py (or known=")
    page = (run / "report.html").read_text()
    kept = command("report", run, code=1).stderr
    assert "report.html is kept, since a new report would show no samples: Player is a network" in kept
    assert (run / "report.html").read_text() == page
    command("report", run, "--use", "mine.py")
    assert (run / "report.html").read_text() == page
    command("sample", run, "--use", "mine.py", "--n", 16, "--out", "samples.npz")
    command("evaluate", "Ring(count=64)", run, "--n", 64, "--use", "mine.py")
    again = command("train", "mine.py", "--out", run).stderr
    assert "this run is complete" in again
    command("train", run / "recipe.txt", "--use", "mine.py", "--out", "runs/again")
    assert (tmp_path / "runs/again/recipe.txt").read_bytes() == (run / "recipe.txt").read_bytes()
    longer = command("train", run / "recipe.txt", "--out", "runs/other", code=1).stderr
    assert "Player is a network defined in Python" in longer
    assert not Path(tmp_path / "runs/other").exists()
