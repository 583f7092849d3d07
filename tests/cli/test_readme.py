"""What the README says to type works as it stands, on smaller numbers."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zerosum.cli import main

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", README, re.DOTALL)
COMMANDS = [line for kind, text in BLOCKS if not kind for line in text.splitlines() if line.startswith("zerosum ")]
SMALL = ["--images", "64", "--set", "batch=16", "--set", "tick=32", "--set", "snapshot=64"]


def test_the_readme_names_its_commands():
    verbs = {shlex.split(c, comments=True)[1] for c in COMMANDS}
    assert verbs == {"train", "sample", "recipes", "report", "data", "evaluate", "compare"}


def test_all_of_them_run_one_after_another(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    for i in range(16):
        pixels = np.random.default_rng(i).integers(0, 256, (70 + i, 80, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "photos" / f"{i}.jpg")
    for number, command in enumerate(COMMANDS):
        words = shlex.split(command, comments=True)
        if words[1] == "train":
            words = shlex.split(command.replace("--images 500000", ""), comments=True)
            words += [*SMALL, "--set", "generator.size=4", "--set", "discriminator.size=4"]
            words += [] if words[2] == "digits" else ["--out", f"runs/{number}"]
        if words[1] == "evaluate":
            words += ["--n", "64"]
        monkeypatch.setattr(sys, "argv", words)
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 0, f"{command}\n{capsys.readouterr().err}"
    assert (tmp_path / "seven.png").exists() and (tmp_path / "runs" / "digits" / "report.html").exists()


def test_its_python_runs(tmp_path):
    text = "\n".join(text for kind, text in BLOCKS if kind == "python")
    text = re.sub(r"images=[\d_]+\)", "images=64, batch=16)", text)
    text = text.replace('zerosum.train("digits",', 'zerosum.train("digits", images=64,')
    assert text.count("images=64") == 2
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", text], cwd=tmp_path, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "runs" / "exponential" / "report.html").exists()


def test_make_and_the_pip_lines_say_the_same():
    makefile = (ROOT / "Makefile").read_text().replace("$(BIN)", ".venv/bin").replace("$(PYTHON)", "python3")
    (by_hand,) = [text for kind, text in BLOCKS if not kind and "python3 -m venv" in text]
    for line in filter(None, by_hand.replace(" && ", "\n").splitlines()):
        assert line.strip() in makefile.replace(" --quiet", ""), f"the Makefile does not do: {line}"


def test_it_is_short_and_has_few_figures():
    assert len(README.splitlines()) <= 120
    measured = README.partition("## What is measured")[2].partition("\n## ")[0]
    assert 5 <= len(re.findall(r"^\| (?!what|---)", measured, re.MULTILINE)) <= 10
