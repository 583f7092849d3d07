"""The benchmark of memory: it measures growth, and its page has a place for the table."""

import json

import numpy as np
import pytest
from benchmarks.speed import memory


def test_growth_is_measured_in_a_process_of_its_own_and_reported_in_a_table(forks):
    lines = memory.measure([64], 48).splitlines()
    cells = [cell.strip() for cell in lines[2].strip("|").split("|")]
    assert cells[:2] == ["64", "48"] and 0 <= float(cells[2]) < 100 and float(cells[3]) > 0


def test_growth_counts_what_the_features_take(tmp_path, monkeypatch, capsys):
    for seed, name in enumerate(("real", "fake")):
        images = np.random.default_rng(seed).integers(0, 256, (64, memory.SIDE, memory.SIDE, 3), dtype=np.uint8)
        np.savez(tmp_path / f"{name}.npz", images=images)
    marks = iter([1000, 5000])
    monkeypatch.setattr(memory.resource, "getrusage", lambda who: type("usage", (), {"ru_maxrss": next(marks)}))
    monkeypatch.setattr(memory, "UNIT", 2**20)
    assert memory.main(["--child", str(tmp_path), "64", "24"]) == 0
    assert json.loads(capsys.readouterr().out)["megabytes"] == 4000


def test_features_are_about_independent_and_a_failure_is_reported(tmp_path, forks):
    images = np.random.default_rng(0).integers(0, 256, (4000, memory.SIDE, memory.SIDE, 3), dtype=np.uint8)
    found = memory.projected(64)(memory.torch.from_numpy(images)).features
    values = memory.torch.linalg.eigvalsh(found.double().T.cov())
    assert values[0] > 0.3 * values[-1]
    with pytest.raises(ValueError, match="scoring 0 images failed: "):
        memory.measure([0], 8)


def test_the_page_has_a_place_for_the_table():
    assert "<!-- memory: written by benchmarks.speed.memory -->" in memory.TABLE.read_text()
