"""Whether bfloat16 costs quality: the same recipes over the same seeds in both number formats.

    python -m benchmarks.quality.precision [--games ring grid digits] [--seeds 5] [--images N] [--jobs 2] [--out FOLDER]

Points train in float32 by default, so bfloat16 is set for them here. A recipe passes if the mean score in
bfloat16 is within the range over seeds in float32, or better. Finished runs are not repeated, and interrupted ones are
resumed.
"""

import argparse
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import zerosum
from benchmarks.machine import machine
from benchmarks.quality.gallery_readings import reading
from zerosum.bench.parallel_runs import run_in_parallel, saved_result
from zerosum.recipes.named_recipes import named
from zerosum.recipes.recipe import Recipe

OUT = Path("runs") / "precision"
FORMATS = ("float32", "bfloat16")
# The scores of each kind of result, and whether higher is better.
READ = {"modes": {"found": True, "high_quality": True}, "digits": {"fid": False, "confident": True, "right": True}}


@dataclass(frozen=True)
class Run:
    """A recipe with a seed in a number format."""

    game: str
    precision: str
    seed: int
    images: int | None

    @property
    def recipe(self) -> Recipe:
        """What is trained."""
        recipe = named(self.game)
        return replace(recipe, precision=self.precision, seed=self.seed, images=self.images or recipe.images)

    def folder(self, out: Path) -> Path:
        """Its folder; another length is another run."""
        length = "" if self.images is None else f"-{self.images}"
        return out / f"{self.game}{length}" / f"{self.precision}-{self.seed}"

    def __str__(self) -> str:
        return f"{self.game} in {self.precision}, seed {self.seed}"


def measured(run: Run, out: Path) -> tuple[dict[str, Any], str]:
    """Evaluate the samples of a finished run; return the result, and in words."""
    folder = run.folder(out) / "run"
    found = reading(zerosum.Run(folder).generator, folder, out)
    return found, ", ".join(f"{name} {found[name]:.4g}" for name in READ[found["kind"]])


def within(found: Sequence[float], reference: Sequence[float], more_is_better: bool) -> bool:
    """Whether a mean is within the range of the reference, or better."""
    mean = statistics.mean(found)
    return mean >= min(reference) if more_is_better else mean <= max(reference)


def rows(game: str, results: dict[str, list[dict[str, Any]]]) -> list[tuple[str, ...]]:
    """A row for each score of a recipe, from the results in both formats."""
    made = []
    for name, more in READ[results[FORMATS[0]][0]["kind"]].items():
        values = {form: [float(one[name]) for one in results[form]] for form in FORMATS}
        cells = [f"{statistics.mean(v):.4g} ({min(v):.4g} to {max(v):.4g})" for v in values.values()]
        verdict = "yes" if within(values["bfloat16"], values["float32"], more) else "no"
        made.append((game, name, *cells, verdict))
    return made


def main(arguments: list[str] | None = None) -> int:
    """Train, evaluate and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--games", nargs="+", default=["ring", "grid", "digits"])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--images", type=int, help="length of every run, for a trial")
    parser.add_argument("--jobs", type=int, default=2, help="parallel runs, one thread each")
    parser.add_argument("--out", type=Path, default=OUT)
    chosen = parser.parse_args(arguments)
    games, seeds = chosen.games, range(chosen.seeds)
    runs = [Run(game, form, seed, chosen.images) for game in games for seed in seeds for form in FORMATS]

    def say(sentence: str) -> None:
        print(sentence, file=sys.stderr, flush=True)

    def progress(seen: int, wanted: int) -> None:
        """Only finished runs are reported."""

    def measure(run: Run) -> tuple[dict[str, Any], str]:
        return measured(run, chosen.out)

    failures = run_in_parallel(runs, chosen.out, chosen.jobs, 1, say, progress, measure)
    for failure in failures:
        say(failure)
    if failures:
        return 1
    head = ("game", "score", "float32: mean (range)", "bfloat16: mean (range)", "within")
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    for game in games:
        results: dict[str, list[dict[str, Any]]] = {form: [] for form in FORMATS}
        for run in runs:
            if run.game == game:
                found = saved_result(run, chosen.out)
                assert found is not None
                results[run.precision].append(found)
        lines += [f"| {' | '.join(row)} |" for row in rows(game, results)]
    print("\n".join([*lines, "", f"{chosen.seeds} seeds each. Machine: {machine()}."]))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
