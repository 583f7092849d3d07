"""The example of a training loop of one's own, run as a reader would run it."""

import re
from pathlib import Path

from tests.forked import python

EXAMPLE = Path(__file__).parents[2] / "examples" / "own_loop.py"


def test_it_plays_and_counts_the_modes_without_writing_anything(tmp_path):
    done = python("-W", "error", EXAMPLE, "--images", "15000", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    *progress, last = done.stdout.splitlines()
    assert progress and all("D/R1" in line and "G/loss" in line for line in progress), done.stdout
    found = re.fullmatch(r"(\d) of 8 modes found, [\d.]+% of the samples near one", last)
    assert found and int(found[1]) >= 1, last
    assert not list(tmp_path.iterdir())
