"""The recipes on digits, each trained by its own command and read by the judge.

    python -m bench.digit_recipes [--recipes digits dcgan ...] [--runs FOLDER]

The judge is a classifier of all of MNIST (see bench/judge.py), which no recipe has seen. `confident` is the share of
10,000 samples that it reads with more than .9, `right` the share read as the class asked for, `present` the digits of
at least 1 % share.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import zerosum
from bench.judge import load_judge

RECIPES = [
    "digits", "gan", "dcgan", "lsgan", "absolute", "hinge", "relativistic",
    "wgan", "wgan-gp", "ebgan", "began", "gmmn", "mmd-gan",
]  # fmt: skip
COUNT = 10_000


def one(recipe: str, run: Path) -> str:
    """Train a recipe, judge it, and return its row."""
    started = time.perf_counter()
    if not (run / "generator.safetensors").exists():
        subprocess.run([sys.executable, "-m", "zerosum", "train", recipe, "--out", str(run)], check=True)
    command = time.perf_counter() - started
    last = json.loads((run / "log.jsonl").read_text().splitlines()[-1])
    generator = zerosum.load(run)
    verdict = load_judge().verdict(generator.sample(COUNT, seed=0), generator.labels(COUNT))
    right = "" if verdict["right"] is None else f"{verdict['right']:.1%}"
    cells = [recipe, f"{last['images']:,}", f"{last['seconds']:.0f}", f"{command:.0f}", f"{verdict['confident']:.1%}"]
    return f"| {' | '.join([*cells, right, str(verdict['present']), format(verdict['fid'], '.1f')])} |"


def main() -> None:
    """Train and judge, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipes", nargs="+", default=RECIPES)
    parser.add_argument(
        "--runs", type=Path, default=Path("runs/bench"), help="runs that are there are judged as they are"
    )
    chosen = parser.parse_args()
    print("| recipe | images | training s | command s | confident | right | present | FID |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    for recipe in chosen.recipes:
        print(one(recipe, chosen.runs / recipe), flush=True)


if __name__ == "__main__":
    main()
