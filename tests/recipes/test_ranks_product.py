"""Several processes give the results of one: every objective, every term, all networks."""

import runpy
from pathlib import Path

import pytest
from safetensors.torch import load_file
from tests.forked import python

from zerosum.objectives import NonSaturating

pytestmark = pytest.mark.timeout(600)  # several processes: a busy machine takes its time
SCRIPT = Path(__file__).with_name("ranks_product.py")
ENOUGH = 1e-3  # smallest change required of some weight of G


def played(folder, counts, *words):
    """Return the results of each number of processes: tensors by game and name."""
    done = python(SCRIPT, folder, counts, *words, timeout=1500)
    assert done.returncode == 0, done.stderr
    return {count: load_file(folder / f"{count}.safetensors") for count in map(int, counts.split(","))}


def differing(alone, together):
    """The games in which ranks end elsewhere than one process, with what differs most and by how much.

    Weights and averages by 1e-9, what the log says by 5e-9 of itself and of 1: MMD's value is a difference of sums.
    """
    assert alone.keys() == together.keys()
    found = {}
    for key, tensor in alone.items():
        game, _, name = key.rpartition(": ")
        error = (tensor.double() - together[key].double()).abs().max().item()
        error /= 5 * (1 + tensor.abs().item()) if name.startswith("log") else 1
        if not error <= 1e-9 and error > found.get(game, ("", 0.0))[1]:
            found[game] = name, error
    return found


def games(alone):
    return {key.rpartition(": ")[0] for key in alone}


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    return played(tmp_path_factory.mktemp("ranks"), "1,2")


@pytest.fixture
def script():
    """What the script that plays the games defines."""
    return runpy.run_path(str(SCRIPT))


def test_ranks_end_where_one_process_ends(few):
    assert differing(few[1], few[2]) == {}


def test_every_part_has_been_played_and_has_moved_the_weights(few, script):
    product, names = script["product"](), games(few[1])
    for objective in product.OBJECTIVES:
        assert f"objective {objective!r}" in names
    for term in (term for term in product.TERMS if type(term).__name__ not in script["ELSEWHERE"]):
        assert {f"D {term!r}", f"G {term!r}"} & names
    assert {name.partition("0-")[0] for name in names if name.startswith("setup ")} == {
        f"setup {product.family(D)}" for D in product.DISCRIMINATORS
    }
    assert [key for key, moved in few[1].items() if key.endswith(": moved") and moved < ENOUGH] == []
    assert (
        f"objective {NonSaturating()!r}" in names
        and {"unrolled", "unlabelled Auxiliary", "unlabelled Discriminative", "virtual"} < names
    )


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_ranks_end_where_one_process_ends_in_all_setups(tmp_path):
    whole = played(tmp_path, "1,2,3", "whole")
    assert len(games(whole[1])) > 200
    assert [differing(whole[1], whole[count]) for count in (2, 3)] == [{}, {}]
