"""The stubs beside the rooms: fresh, and what a type checker and an editor make of them."""

import importlib
import os
import re
import subprocess
import sys
from dataclasses import fields

import jedi
import pytest
from scripts.stubs import rooms, stub, stubs

import zerosum
from zerosum.recipes.recipe import Recipe

USER = """
from dataclasses import dataclass, replace
from typing import ClassVar

from torch import Tensor, nn

import zerosum
from zerosum.objectives import Hinge
from zerosum.recipes import Evaluation, dcgan, nonsense
from zerosum.terms import R1, Every


@dataclass(frozen=True)
class Exponential:
    scale: float = 1.0
    reads_real: ClassVar[bool] = False

    def d_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        return (-self.scale * real).exp().mean() + (self.scale * fake).exp().mean()

    def g_loss(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        return (-self.scale * fake).exp().mean()


def critic() -> nn.Module:
    return nn.Linear(2, 1)


def gap(real: Tensor, fake: Tensor) -> float:
    return float((real.mean(0) - fake.mean(0)).norm())


own = zerosum.Recipe(name="own", generator=nn.Linear(2, 2), discriminator=critic, objective=Hinge())
own = replace(own, generator=critic, evaluation=Evaluation(metrics=("fid", gap)))
wrong = replace(own, discriminator=nn.Linear)
recipe = replace(dcgan(), objective=Exponential(), d_terms=(Every(16, R1(gama=1)),), images=2_000)
generator = zerosum.load(zerosum.train(replace(recipe, objective=zerosum.objectives.Hinge())))
parts = (Hinge, dcgan(), R1(), zerosum.game.Normal(64), zerosum.networks.mlp.MLPGenerator())
reveal_type((recipe, generator, parts, zerosum.Recipe, zerosum.features.Pixels()))
"""


def test_stubs_are_fresh(root):
    there = {path.relative_to(root): path.read_text(encoding="utf-8") for path in (root / "src").rglob("*.pyi")}
    assert there == stubs(), "run `make stubs` (python -m scripts.stubs) and commit what it writes"


def test_every_room_has_a_stub_that_names_its_parts():
    found = {room.__name__ for room in rooms()}
    assert {"zerosum.objectives", "zerosum.features", "zerosum.recipes"} <= found
    text = stubs()[next(path for path in stubs() if path.parts[-2] == "objectives")]
    assert "from zerosum.objectives import wasserstein as wasserstein\n" in text
    assert "from zerosum.objectives.wasserstein import Hinge as Hinge\n" in text


def test_a_part_stands_for_the_module_of_its_name():
    text = stub(importlib.import_module("zerosum.objectives"), {"wasserstein": "zerosum.objectives.wasserstein"})
    assert "from zerosum.objectives import wasserstein" not in text
    assert "from zerosum.objectives.wasserstein import wasserstein as wasserstein\n" in text


def test_mypy_sees_the_types_of_a_users_file_and_its_mistakes(root, tmp_path):
    file = tmp_path / "users_file.py"
    file.write_text(USER)
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", str(root / "pyproject.toml"), str(file)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=root,
        env={**os.environ, "MYPYPATH": str(root / "src")},
        timeout=280,
    )
    errors = [line.partition("error: ")[2] for line in done.stdout.splitlines() if " error: " in line]
    assert [error.partition(";")[0] for error in errors] == [
        'Module "zerosum.recipes" has no attribute "nonsense"  [attr-defined]',
        'Argument "discriminator" to "replace" of "Recipe" has incompatible type "type[Linear]"',
        'Unexpected keyword argument "gama" for "R1"',
    ], done.stdout + done.stderr
    (revealed,) = re.findall(r"Revealed type is (.*)", done.stdout)
    assert "zerosum.objectives.wasserstein.Hinge" in revealed
    assert "zerosum.runs.generator.TrainedGenerator" in revealed
    assert not re.search(r"\bAny\b", revealed)


@pytest.mark.parametrize(
    ("code", "offered"),
    [
        ("import zerosum\nzerosum.", set(dir(zerosum))),
        ("import zerosum\nzerosum.objectives.", set(dir(zerosum.objectives))),
        ("from zerosum.recipes import dcgan\ndcgan().", {field.name for field in fields(Recipe)}),
    ],
)
def test_editors_complete_what_is_there_and_nothing_else(code, offered, tmp_path, monkeypatch):
    monkeypatch.setattr(jedi.settings, "cache_directory", str(tmp_path))
    project = jedi.Project(tmp_path, sys_path=sys.path)
    completed = {found.name for found in jedi.Script(code, path=tmp_path / "user.py", project=project).complete()}
    assert {name for name in completed if not name.startswith("_")} == offered
