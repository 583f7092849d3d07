"""Processes that were given different runs are refused before they compute anything together."""

import sys

import pytest
from benchmarks.robustness.kills import POINTS

from zerosum.training.options import RunOptions
from zerosum.training.ranks import RankGroup
from zerosum.training.train import train


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"minutes": "None"}, "minutes is 1.0 in process 0 and None in process 1: start all with the same command"),
        ({"objective": "Hinge()"}, r"objective is .* in process 0 and Hinge\(\) in process 1"),
        ({"signals": "False"}, "signals is True in process 0 and False in process 1"),
        ({"data": "0"}, "data is [0-9a-f]{64} in process 0 and 0 in process 1"),
    ],
    ids=str,
)
def test_it_is_found_before_a_length_is_measured_and_a_folder_made(tmp_path, monkeypatch, changed, sentence):
    monkeypatch.setattr("zerosum.training.same_run.ranks", lambda: 2)
    monkeypatch.setattr(RankGroup, "gathered", lambda _, facts: [facts, {**facts, **changed}])
    monkeypatch.setattr(sys.modules["zerosum.training.train"], "timed", None)
    with pytest.raises(ValueError, match=sentence):
        train(POINTS, tmp_path / "run", options=RunOptions(minutes=1), quiet=True)
    assert not (tmp_path / "run").exists()
