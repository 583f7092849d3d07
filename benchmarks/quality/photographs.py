"""Train GANs on a folder of photographs, and score their samples by features that no discriminator has seen.

    python -m benchmarks.quality.photographs FOLDER --held-out FOLDER [--games projected-gan fastgan] [--jobs 2]

Each recipe is trained by `zerosum train NAME --data FOLDER --size 64`, with one thread, and interrupted runs are
resumed. All runs take about the same processor time. Scores are KID, recall and coverage by random convolutions and by
AlexNet of ST-LPIPS: the D of `projected-gan` sees the features of EfficientNet-Lite0, by which nothing is scored here.
Beside them stand the photographs held out, and three sets that cost nothing. The table is written to
`benchmarks/results/photographs.md`, where rows of other recipes are kept, and samples to
`docs/images/photographs-NAME.png`.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

import zerosum
from benchmarks.machine import machine
from benchmarks.places import RESULTS, ROOT
from benchmarks.quality.folder_runs import FolderRun, folder_parser, train_and_write
from benchmarks.quality.gallery import time_of
from benchmarks.quality.gallery_images import save_small
from zerosum.data.sources.folders import Images
from zerosum.evaluation import EvaluationConfig, Evaluator
from zerosum.plots.grids import grid

OUT = Path("runs/photographs")
PAGE = RESULTS / "photographs.md"
IMAGES = ROOT / "docs" / "images"
SIZE = 64
SETTINGS = ("--batch", "16", "--set", "generator.size=32")
GAMES = {"projected-gan": (64, 10_500), "fastgan": (32, 6_000)}
"""Size of D and length of each run, in images."""
FEATURES = ("random-conv", "alexnet")
MOST = 200_000  # bytes of an image
Pixels = np.ndarray  # uint8 (N, H, W, C)


def run_of(name: str, images: Path, out: Path) -> FolderRun:
    """Return the run of a recipe on the folder."""
    size, length = GAMES[name]
    chosen = ("--size", str(SIZE), *SETTINGS, "--set", f"discriminator.size={size}", "--images", str(length))
    return FolderRun(name, images, out, chosen)


def read(folder: Path) -> Pixels:
    """Return all images of a folder, at the size of the runs."""
    dataset = Images(str(folder), size=SIZE).open()
    return dataset.read(torch.arange(len(dataset))).permute(0, 2, 3, 1).numpy()


def mean(real: Pixels, count: int) -> Pixels:
    """The mean photograph, over and over."""
    return np.repeat(real.mean(0, keepdims=True).round().astype(np.uint8), count, 0)


def blend(real: Pixels, count: int) -> Pixels:
    """Each the mean of two photographs."""
    draw = np.random.default_rng(0)
    one, other = (real[draw.integers(len(real), size=count)].astype(np.uint16) for _ in range(2))
    return ((one + other) // 2).astype(np.uint8)


def few(real: Pixels, count: int) -> Pixels:
    """Ten of the photographs, over and over."""
    return real[np.arange(count) % 10]


BASELINES: dict[str, Callable[[Pixels, int], Pixels]] = {
    "the mean photograph": mean,
    "means of two photographs": blend,
    "ten photographs of the folder": few,
}


def scored(made: Pixels, evaluators: list[Evaluator]) -> str:
    """The cells of a set's scores: KID times 1,000, recall and coverage in percent, for each extractor."""
    cells = []
    for evaluator in evaluators:
        found = evaluator.score(made)
        for name, scale, digits in (("kid", 1_000, 1), ("recall", 100, 1), ("coverage", 100, 1)):
            value, error = scale * found.values[name], scale * found.errors.get(name, float("nan"))
            cells.append(f"{value:,.{digits}f} ± {error:,.{digits}f}")
    return " | ".join(cells)


def row(run: FolderRun, count: int, evaluators: list[Evaluator]) -> str:
    """Write an image of a run's samples, and return its row of the table."""
    generator = zerosum.Run(run.folder / "run").generator
    made = generator.sample(count, seed=0)
    save_small(grid(made[:48], columns=12), IMAGES / f"photographs-{run.name}.png", MOST)
    spent = time_of(run.folder)
    seconds = f"{spent['cpu_seconds']:,.0f}"
    return f"| `{run.name}` | {generator.images:,} | {seconds} | {scored(made, evaluators)} | {machine()} |"


def page(runs: list[FolderRun], held_out: Path, kept: dict[str, str]) -> str:
    """Return the commands, the table and the images of all runs; `kept` has existing rows by recipe."""
    real, others = read(runs[0].images), read(held_out)
    evaluators = [Evaluator(real, ("kid", "prdc"), EvaluationConfig(name, device="cpu")) for name in FEATURES]
    scores = [f"{score}, {name}" for name in FEATURES for score in ("KID x 1,000", "recall, %", "coverage, %")]
    head = " | ".join(["samples", "training images", "processor s", *scores, "on"])
    lines = [f"| {head} |", "| --- " * (4 + len(scores)) + "|"]
    lines += [kept.get(run.name) or row(run, len(others), evaluators) for run in runs]
    lines.append(f"| *photographs held out* | | | {scored(others, evaluators)} | |")
    lines += [f"| *{name}* | | | {scored(made(real, len(others)), evaluators)} | |" for name, made in BASELINES.items()]
    commands = "\n".join(f"    {run.shown('photos/')}" for run in runs)
    shown = [f"### {run.name}\n\n![{run.name}](../../docs/images/photographs-{run.name}.png)" for run in runs]
    about = f"{len(real):,} photographs of {' x '.join(map(str, real.shape[1:]))}; every other set has {len(others):,}."
    return "\n\n".join([commands, "\n".join(lines), about, *shown])


def main(arguments: list[str] | None = None) -> int:
    """Train unfinished runs and write the page; exit status 1 if a run failed."""
    parser = folder_parser(__doc__, GAMES, OUT)
    parser.add_argument("--held-out", type=Path, required=True, help="photographs that are not trained on")
    chosen = parser.parse_args(arguments)
    runs = [run_of(name, chosen.images, chosen.out) for name in GAMES]
    return train_and_write("photographs", PAGE, runs, chosen, lambda kept: page(runs, chosen.held_out, kept))


if __name__ == "__main__":
    raise SystemExit(main())
