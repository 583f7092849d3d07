"""What tests in all folders use."""

from pathlib import Path

import pytest
from tests.forked import forking


@pytest.fixture
def forks():
    """Python processes that a test starts are forks of one that has loaded PyTorch and zerosum."""
    with forking():
        yield


@pytest.fixture
def reportless(monkeypatch):
    """Runs end with an empty report, since writing it takes several times as long as a tiny run."""

    def write(run, *rest):
        path = Path(run) / "report.html"
        path.touch()
        return path

    monkeypatch.setattr("zerosum.training.loop.write_report", write)
