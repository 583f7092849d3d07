"""What a run writes down of how it was started."""

import shlex
import sys

import pytest
import torch

from zerosum.recipes.named_recipes import named
from zerosum.training.folder import write_environment

WORDS = ["train", "digits", "--set", "d_terms=(Every(16, R1(gamma=10.0)),)", "--data", "Images('photos')"]


@pytest.mark.parametrize(
    ("program", "variables", "start"),
    [
        ("/usr/bin/zerosum", {}, ["zerosum"]),
        ("/lib/zerosum/__main__.py", {}, ["python", "-m", "zerosum"]),
        ("code/own.py", {}, ["python", "own.py"]),
        (
            "/lib/zerosum/__main__.py",
            {"TORCHELASTIC_RUN_ID": "a", "GROUP_WORLD_SIZE": "3", "LOCAL_WORLD_SIZE": "2"},
            ["torchrun", "--nnodes", "3", "--nproc-per-node", "2", "-m", "zerosum"],
        ),
    ],
)
def test_the_command_is_one_that_a_shell_takes(tmp_path, monkeypatch, program, variables, start):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", [program, *WORDS])
    write_environment(tmp_path, named("ring"), torch.device("cpu"), "float32")
    assert shlex.split((tmp_path / "command.txt").read_text()) == [*start, *WORDS]
