"""Runs the tests that have a form for the device.

    python -m benchmarks.gpu.checks DEVICE [TEST ...]

On a CPU they are those of the simulated device.
"""

import argparse
import sys
from collections import Counter

import pytest
import torch

from benchmarks.gpu.rows import Row
from benchmarks.places import ROOT

TESTS = ROOT / "tests" / "cuda"


class Outcomes:
    """A plugin of pytest that counts outcomes and notes the tests that failed."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.failed: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count the outcome of a test, and a failure of its fixtures."""
        if report.when == "call" or report.outcome != "passed":
            self.counts[report.outcome] += 1
            self.failed += [report.nodeid.rpartition("::")[2]] if report.failed else []

    @property
    def words(self) -> str:
        """How many passed, failed and were skipped, and which failed."""
        counts = ", ".join(f"{self.counts[outcome]} {outcome}" for outcome in ("passed", "failed", "skipped"))
        return counts + (f": {', '.join(self.failed)}" if self.failed else "")


def main(arguments: list[str] | None = None) -> int:
    """Run the tests and print a row; exit status 1 where one failed, or none passed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("device", type=torch.device)
    parser.add_argument("tests", nargs="*", metavar="TEST", default=[str(TESTS)], help="by default those of tests/cuda")
    chosen = parser.parse_args(arguments)
    kind = "cuda" if chosen.device.type == "cuda" else "not cuda"
    outcomes = Outcomes()
    # Another machine may have warnings of its own.
    words = ["-q", "-p", "no:cacheprovider", "-W", "default", "-m", f"{kind} and not slow", *chosen.tests]
    status = pytest.main(["--rootdir", str(ROOT), "-c", str(ROOT / "pyproject.toml"), *words], plugins=[outcomes])
    Row("tests", outcomes.words).print()
    if status or not outcomes.counts["passed"]:
        print(f"tests: {outcomes.words}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
