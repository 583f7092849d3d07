"""Mode coverage of the recipes `ring` and `grid` over seeds, each run by the command a user would type.

    python -m bench.toys [--seeds 10] [--recipes ring grid]

A mode counts when one of 2,500 samples lies within 3 standard deviations of it; high quality is the share of samples
that lie so near to any. Each run has one thread, and two run side by side.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

Row = dict[str, float]


def one(recipe: str, seed: int) -> Row:
    """Train one seed and return its scores with the seconds of the whole command."""
    with TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "zerosum", "train", recipe, "--seed", str(seed), "--json"]
        started = time.perf_counter()
        done = subprocess.run(
            [*command, "--out", str(Path(folder) / "run")],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        return {"seed": seed, **json.loads(done.stdout)["scores"], "seconds": time.perf_counter() - started}


def table(recipe: str, rows: list[Row]) -> str:
    """The rows as a Markdown table, with the worst and the median of each column."""
    lines = [f"### {recipe}", "", "| seed | modes | high quality | KL | seconds |", "|---|---|---|---|---|"]
    for r in rows:
        lines.append(_line(str(int(r["seed"])), r["found"], r["modes"], r["high_quality"], r["kl"], r["seconds"]))
    worst = (min(r["found"] for r in rows), rows[0]["modes"], min(r["high_quality"] for r in rows))
    lines.append(_line("worst", *worst, max(r["kl"] for r in rows), max(r["seconds"] for r in rows)))
    middle = [statistics.median(r[key] for r in rows) for key in ("found", "high_quality", "kl", "seconds")]
    lines.append(_line("median", middle[0], rows[0]["modes"], *middle[1:]))
    return "\n".join(lines) + "\n"


def _line(name: str, found: float, modes: float, quality: float, kl: float, seconds: float) -> str:
    return f"| {name} | {found:g}/{modes:g} | {quality:.1%} | {kl:.4f} | {seconds:.0f} |"


def main() -> None:
    """Run the seeds and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--recipes", nargs="+", default=["ring", "grid"])
    chosen = parser.parse_args()
    for recipe in chosen.recipes:
        with ThreadPoolExecutor(2) as pool:
            rows = list(pool.map(one, [recipe] * chosen.seeds, range(chosen.seeds)))
        print(table(recipe, rows), flush=True)


if __name__ == "__main__":
    main()
