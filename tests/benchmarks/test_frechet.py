"""The benchmark of the Frechet distance: its ways agree, and its page has a place for them."""

import sys

import pytest
import torch
from benchmarks.speed import frechet

from zerosum.metrics.frechet import frechet_distance_from_moments
from zerosum.metrics.moments import moments_of


@pytest.fixture
def sets():
    return tuple(moments_of(frechet.features(300, 24, seed)) for seed in (0, 1))


def test_the_way_of_the_product_gives_our_number(sets):
    assert frechet.by_product(*sets) == pytest.approx(frechet_distance_from_moments(*sets), rel=1e-9)


def test_scipys_way_is_asked_in_a_process_of_its_own(sets, tmp_path, monkeypatch):
    program = tmp_path / "peer.py"
    program.write_text(
        "import json, sys, numpy as np\n"
        "found = np.load(sys.argv[1])\n"
        "for _ in sys.stdin:\n"
        "    print(json.dumps({'seconds': 2.0, 'value': float(found['real_covariance'].trace())}), flush=True)\n"
    )
    monkeypatch.setattr(frechet, "PROGRAM", program)
    monkeypatch.setattr(frechet, "PYTHON", frechet.Path(sys.executable))
    with frechet.by_root(*sets) as way:
        assert way() == (2.0, pytest.approx(float(sets[0].covariance.trace())))
        assert way().seconds == 2.0
    monkeypatch.setattr(frechet, "PYTHON", tmp_path / "nothing")
    with pytest.raises(ValueError, match="run `make peers` first"), frechet.by_root(*sets):
        pass


def test_ways_take_turns_and_the_first_of_each_is_not_counted():
    order: list[str] = []

    def way(name, seconds):
        return lambda: order.append(name) or frechet.Timed(seconds, 1.0)

    found = frechet.by_turns({"a": way("a", 1.0), "b": way("b", 3.0)}, 2)
    assert order == ["b", "a", "a", "b", "b", "a"]
    assert [len(measured) for measured in found.values()] == [2, 2]
    lines = frechet.rows("words", found, "a")
    assert lines == ["| words | a | 1 | 1 | 1 | 0.0e+00 |", "| words | b | 3 | 3 | 1 | 0.0e+00 |"]


def test_features_are_rectified_have_a_falling_spectrum_and_two_sets_that_differ():
    first, second = (frechet.features(2000, 32, seed) for seed in (0, 1))
    assert (
        torch.equal(first, frechet.features(2000, 32, 0)) and float(first.min()) == 0 and first.dtype == torch.float32
    )
    values = torch.linalg.eigvalsh(moments_of(first).covariance)
    assert values[-1] > 8 * values[16] > 0 and values[-1] > 30 * values[0] > 0
    assert frechet_distance_from_moments(moments_of(first), moments_of(second)) > 1e-3


def test_the_page_has_a_place_for_the_table():
    assert "<!-- frechet: written by benchmarks.speed.frechet -->" in frechet.TABLE.read_text()
