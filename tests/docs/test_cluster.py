"""The commands of the page on several processes are commands: of bash, of torchrun and of zerosum."""

import re
import subprocess
from pathlib import Path

import pytest
import typer.main
import yaml
from torch.distributed.run import parse_args

from zerosum.cli import app

PAGE = (Path(__file__).parents[2] / "docs" / "cluster.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(sh|bash|yaml)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
COMMAND = r"torchrun (.*?) -m zerosum train (.*?)(?:'?\n|$)"


def text(language, block):
    """What a shell would be given, each command on one line."""
    if language == "yaml":
        (job,) = (part for part in yaml.safe_load_all(block) if part["kind"] == "Job")
        (container,) = job["spec"]["template"]["spec"]["containers"]
        assert container["command"] == ["bash", "-c"]
        (block,) = container["args"]
    return block.replace("\\\n", " ")


@pytest.mark.parametrize(
    ("language", "block"), BLOCKS, ids=[f"{i}-{language}" for i, (language, _) in enumerate(BLOCKS)]
)
def test_the_commands_are_commands(language, block):
    given = text(language, block)
    subprocess.run(["bash", "-n"], input=given, text=True, check=True, timeout=20)
    ((before, after),) = re.findall(COMMAND, given, re.DOTALL)
    numbers = re.sub(r'"\$(SLURM_NNODES|SLURM_NODEID|JOB_COMPLETION_INDEX|MASTER_PORT)"', "1", before)
    torchrun = parse_args([*numbers.replace('"', "").split(), "-m", "zerosum", "train", *after.split()])
    assert torchrun.module and torchrun.training_script == "zerosum"
    verb = typer.main.get_command(app).commands["train"]
    verb.make_context("train", after.replace('"', "").split())


def test_there_are_all_of_them():
    assert [language for language, _ in BLOCKS] == ["sh", "sh", "bash", "yaml"]
