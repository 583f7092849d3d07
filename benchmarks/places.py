"""Where benchmarks find and leave things."""

from pathlib import Path

ROOT = Path(__file__).parents[1]  # of the repository, where commands run
RESULTS = ROOT / "benchmarks" / "results"
SHARED = ROOT.parent / "shared"  # data and golden numbers that may lie beside the repository
