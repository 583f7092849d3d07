"""Paths of results and shared data."""

from pathlib import Path

ROOT = Path(__file__).parents[1]  # of the repository, where commands run
RESULTS = ROOT / "benchmarks" / "results"
SHARED = ROOT.parent / "shared"  # data and reference values beside the repository, if there
