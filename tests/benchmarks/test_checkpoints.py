"""The benchmark of checkpoints."""

import pytest
from benchmarks.speed import checkpoints


def test_a_save_is_reported_as_a_share_of_the_time_between_two(tmp_path):
    found = checkpoints.measure("ring", saves=2, iterations=2, folder=tmp_path)
    share = 100 * found["save_milliseconds"] / 1e3 / found["seconds_between"]
    assert found["share_percent"] == pytest.approx(share, rel=0.05)
    assert found["megabytes"] > 0 and found["slowest_save_milliseconds"] >= found["save_milliseconds"] > 0
    assert len([*(tmp_path / "checkpoints").iterdir()]) == 2, "the oldest is removed, as in a run"
    assert f"| `ring`, float32 | {found['megabytes']} MB |" in checkpoints.table([found])
