import json
from dataclasses import asdict

import numpy as np
import pytest

from zerosum.bench.modes import Result
from zerosum.bench.summary import in_text, mode_summary, mode_table, spread
from zerosum.bench.tasks import tasks
from zerosum.metrics.modes import ModeCoverage

RING = tasks()[0]


def result(game, seed, found, quality, kl, cpu=10.0, task="ring-8"):
    return Result(task, game, seed, ModeCoverage(8, found, quality, kl), 1000, 2 * cpu, cpu)


def test_spread_is_mean_std_and_worst():
    values = [8.0, 5.0, 7.0]
    found = spread(values, low_is_worse=True)
    assert (found.mean, found.std, found.worst) == (np.mean(values), pytest.approx(np.std(values, ddof=1)), 5.0)
    assert spread(values, low_is_worse=False).worst == 8.0
    assert spread([3.0], True).std is None and in_text(asdict(spread([3.0], True)), ".1f") == "3.0"


def test_a_task_is_summarised_as_numbers_and_as_a_table():
    results = [
        result("plain", 0, 5, 0.5, 1.0), result("plain", 1, 7, 0.75, 0.5, cpu=30.0),
        result("better", 0, 8, 0.97, 0.01), result("plain", 0, 1, 0.1, 3.0, task="grid-25"),
    ]  # fmt: skip
    summary = mode_summary(RING, results, ModeCoverage(8, 8, 0.989, 0.001))
    assert json.loads(json.dumps(summary)) == summary
    assert [*summary["games"]] == ["plain", "better"]
    plain = summary["games"]["plain"]
    assert plain["seeds"] == [0, 1] and plain["found"]["mean"] == 6 and plain["found"]["worst"] == 5
    assert plain["high_quality"]["worst"] == 0.5 and plain["kl"]["worst"] == 1.0 and plain["every_mode"] == 0
    assert summary["games"]["better"]["every_mode"] == 1
    lines = mode_table(summary).splitlines()
    assert lines[0] == "### ring-8: 8 modes, 2,500 samples"
    assert lines[4] == "| plain | 2 | 0 of 2 | 6.0 ± 1.4 | 5 | 62.5% ± 17.7% | 50.0% | 0.750 ± 0.354 | 1.000 | 20 |"
    assert "| *real samples* |  |  | 8 |  | 98.9% |  | 0.001 |  |  |" in lines
    assert "| *PacGAN4* (PacGAN, arXiv 1712.04086) |  |  | 7.8 |  |  |  |  |  |  |" in lines
    assert len({line.count("|") for line in lines[2:]}) == 1
