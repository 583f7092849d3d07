"""Two processes play the game of one."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tests.forked import Forked

SCRIPT = Path(__file__).with_name("ranks.py")


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """What one process and each of two came to, by (rank, ranks)."""
    folder = tmp_path_factory.mktemp("ranks")
    running = {
        (rank, ranks): Forked(
            [sys.executable, str(SCRIPT), str(rank), str(ranks), str(folder / "store"), str(folder / f"{rank}{ranks}")],
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank, ranks in ((0, 2), (1, 2))
    }
    try:
        runpy.run_path(str(SCRIPT))["main"](0, 1, "", str(folder / "01"))
        for process in running.values():
            _, errors = process.communicate(timeout=120)
            assert process.returncode == 0, errors
    finally:
        for process in running.values():
            process.kill()
            process.communicate()
    return {(rank, ranks): load_file(folder / f"{rank}{ranks}") for rank, ranks in ((0, 1), *running)}


def names(found):
    return [name for name in found if name.split(".")[0] in ("G", "D", "ema", "k", "losses")]


def test_two_ranks_end_where_one_process_ends(played):
    alone = played[0, 1]
    for rank in (0, 1):
        for name in names(alone):
            assert torch.allclose(played[rank, 2][name], alone[name], atol=1e-6), name
        assert played[rank, 2]["images"] == alone["images"] == 8 * 4
    assert alone["k"] > 0


def test_ranks_stay_equal_to_the_last_bit(played):
    for name in names(played[0, 2]):
        assert torch.equal(played[0, 2][name], played[1, 2][name]), name


def test_every_rank_draws_latents_of_its_own_and_together_those_of_one_process(played):
    mine, theirs, all_of_them = (played[key]["latents"] for key in ((0, 2), (1, 2), (0, 1)))
    assert not torch.isclose(mine, theirs).any()
    assert torch.equal(torch.cat([mine, theirs], dim=1), all_of_them)


def test_means_over_ranks_come_each_in_its_own_shape(played):
    for rank in (0, 1):
        assert played[rank, 2]["square"].tolist() == [[0.5, 0.5], [0.5, 0.5]]
        assert played[rank, 2]["number"] == 1
    assert played[0, 1]["square"].tolist() == [[0, 0], [0, 0]]


def test_what_goes_wrong_on_one_rank_stops_all(played):
    assert all(found["stops"] for found in played.values())
