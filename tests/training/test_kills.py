"""Runs of the command that are killed and continued come to the same as one left alone, bit for bit."""

import pytest
import torch
from benchmarks.robustness.kills import IMAGES, POINTS, compared, lengthened, table
from benchmarks.robustness.sameness import state_differences

from zerosum.runs.checkpoint import Checkpoint


def test_four_kills_and_four_resumes(tmp_path, forks):
    found = compared(POINTS, kills=4, seed=1, iterations=10, folder=tmp_path)
    assert found["differences"] == []
    assert len(found["kills"]) == 4 and found["half_written"] >= 2, "those that aim at a checkpoint hit it"
    assert "| points | 4,480 | 4 |" in table([found]) and "| none |" in table([found])


@pytest.mark.slow
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize(("recipe", "iterations"), [(POINTS, 40), (IMAGES, 12)], ids=["points", "images"])
def test_twenty_kills_and_twenty_resumes(tmp_path, recipe, iterations):
    found = compared(recipe, kills=20, seed=2, iterations=iterations, folder=tmp_path)
    assert found["differences"] == [] and len(found["kills"]) == 20
    assert found["half_written"] >= 10


def test_a_difference_in_the_last_bit_would_be_seen():
    one, other = ({"w": torch.tensor([1.0, 0.0])}, {"w": torch.tensor([1.0, -0.0])})
    numbers = {"images": 3, "seconds": 1.0}
    same = [Checkpoint({"G": one}, numbers), Checkpoint({"G": one}, {**numbers, "seconds": 2.0})]
    assert state_differences(*same) == []
    assert state_differences(same[0], Checkpoint({"G": other}, numbers)) == ["G.w"]
    assert state_differences(same[0], Checkpoint({"G": one}, {**numbers, "position": 1})) == ["position"]
    assert state_differences(same[0], Checkpoint({"G": one, "D": one}, numbers)) == ["D.w"]


def test_a_run_is_long_enough_for_its_kills():
    assert lengthened(POINTS, kills=4, iterations=10).images == 4 * 7 * 10 * POINTS.batch
