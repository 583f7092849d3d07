"""The commands of README and docs/start.md, and the Python of README, run in order as written, on smaller numbers."""

import re
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.forked import python

from zerosum.cli import main

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", README, re.DOTALL)
PYTHON = [kind for kind, _ in BLOCKS].index("python")
SMALL = ["--images", "64", "--set", "batch=16", "--set", "tick=32", "--set", "snapshot=64"]


def commands(blocks):
    """The commands of zerosum in code blocks of no language, without their comments."""
    lines = [line for kind, text in blocks if not kind for line in text.splitlines()]
    return [shlex.split(line, comments=True) for line in lines if line.startswith("zerosum ")]


COMMANDS, WITH_OWN_PARTS = commands(BLOCKS[:PYTHON]), commands(BLOCKS[PYTHON:])


def run_small(words, monkeypatch, capsys):
    """Run a command of zerosum on small networks and few images."""
    if words[1] == "train":
        if "--images" in words:
            at = words.index("--images")
            words = words[:at] + words[at + 2 :]
        words = [*words, *SMALL, "--set", "generator.size=4", "--set", "discriminator.size=4"]
    if words[1] == "evaluate":
        words = [*words, "--n", "64"]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0, f"{words}\n{capsys.readouterr().err}"


def photographs(folder):
    folder.mkdir()
    for i in range(16):
        pixels = np.random.default_rng(i).integers(0, 256, (70 + i, 80, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{i}.jpg")


def test_the_readme_names_its_commands():
    named = ["train", "sample", "recipes", "report", "doctor", "data", "evaluate", "compare"]
    assert {words[1] for words in COMMANDS} == {*named}


def test_all_of_them_run_one_after_another(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    photographs(tmp_path / "photos")
    for words in COMMANDS:
        run_small(words, monkeypatch, capsys)
    assert (tmp_path / "seven.png").exists() and (tmp_path / "runs" / "digits" / "report.html").exists()
    assert (tmp_path / "runs" / "r3gan" / "report.html").exists()


@pytest.mark.slow
def test_the_lines_of_start_run_in_order_on_a_fresh_machine(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    photographs(tmp_path / "photos")
    blocks = re.findall(r"```console\n(.*?)```", (ROOT / "docs" / "start.md").read_text(), re.DOTALL)
    lines = [shlex.split(line.removeprefix("$ ")) for block in blocks for line in block.splitlines()]
    assert lines[0] == ["make", "demo"]
    assert {words[1] for words in lines[1:]} == {"train", "sample", "recipes", "data", "evaluate"}
    for words in lines[1:]:
        run_small(words, monkeypatch, capsys)
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["digits", "photos"]
    assert (tmp_path / "digits.png").exists() and (tmp_path / "runs" / "photos" / "report.html").exists()


def test_its_python_is_a_file_that_use_takes(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    text, count = re.subn(r"images=[\d_]+\)", "images=64, batch=16)", BLOCKS[PYTHON][1])
    assert count == 1
    (tmp_path / "own.py").write_text(text)
    assert python("-W", "error", "-c", "import own", cwd=tmp_path).returncode == 0
    assert not (tmp_path / "runs").exists()  # what --use imports trains nothing
    done = python("-W", "error", "own.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "\npython own.py " in README and len(WITH_OWN_PARTS) == 3
    for words in WITH_OWN_PARTS:
        run_small(words, monkeypatch, capsys)
    runs = [name for name in ("exponential", "again", "own") if (tmp_path / "runs" / name / "report.html").exists()]
    assert runs == ["exponential", "again", "own"]
    for name in runs:
        assert "objective=Exponential()" in (tmp_path / "runs" / name / "recipe.txt").read_text()


def test_make_and_the_pip_lines_say_the_same():
    makefile = (ROOT / "Makefile").read_text().replace("$(BIN)", ".venv/bin").replace("$(PYTHON)", "python3")
    (by_hand,) = [text for kind, text in BLOCKS if not kind and "python3 -m venv" in text]
    for line in filter(None, by_hand.replace(" && ", "\n").splitlines()):
        assert line.strip() in makefile.replace(" --quiet", ""), f"the Makefile does not do: {line}"


def test_it_is_short_and_has_few_figures():
    assert len(README.splitlines()) <= 120
    measured = README.partition("## What is measured")[2].partition("\n## ")[0]
    assert 5 <= len(re.findall(r"^\| (?!what|---)", measured, re.MULTILINE)) <= 10
