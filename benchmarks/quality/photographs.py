"""Train GANs on a folder of photographs, and score their samples by features that no discriminator has seen.

    python -m benchmarks.quality.photographs FOLDER --held-out FOLDER [--games NAME ...] [--minutes 20] [--jobs 2]

Each recipe is trained by `zerosum train NAME --data FOLDER --size 64`, with one thread, and interrupted runs are
resumed. All runs take about the same processor time: the length of each is measured when it begins, by the processor
time of some updates, so that other work on the machine does not shorten it, and kept beside the run. Scores are KID,
recall and coverage by random convolutions and by AlexNet of ST-LPIPS: the D's of `projected-gan` and `vision-aided` see
the features of EfficientNet-Lite0, by which nothing is scored here. Beside them stand the photographs held out, and
three sets that cost nothing. The table is written to `benchmarks/results/photographs.md`, where rows of other recipes
and their commands are kept, and samples to `docs/images/photographs-NAME.png`.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from functools import reduce
from pathlib import Path

import numpy as np
import torch

import zerosum
from benchmarks.machine import machine
from benchmarks.places import RESULTS, ROOT
from benchmarks.quality.folder_runs import FolderRun, folder_parser, kept_rows, train_and_write
from benchmarks.quality.gallery import time_of
from benchmarks.quality.gallery_images import save_small
from zerosum.data.sources.folders import Images
from zerosum.evaluation import EvaluationConfig, Evaluator
from zerosum.plots.grids import grid
from zerosum.recipes.named_recipes import named
from zerosum.recipes.settings import with_setting
from zerosum.training.batches import Batches
from zerosum.training.build import build_game
from zerosum.training.device import choose_precision, keep_memory

OUT = Path("runs/photographs")
PAGE = RESULTS / "photographs.md"
IMAGES = ROOT / "docs" / "images"
SIZE = 64
MINUTES = 20.0
PACE, FIRST = 15.0, 2  # processor seconds in which the pace of a recipe is measured, after so many first iterations
SHARE = 0.95  # of the time; the rest is for sample images, checkpoints and the report
GAMES: dict[str, tuple[str, ...]] = {
    "vision-aided": (),
    "projected-gan": (),
    "fastgan": ("batch=16",),
    "r3gan": (),
    "stylegan2": (),
}
"""Settings of each recipe: all are as they are, but for the batches of `fastgan`, which would leave few updates."""
FEATURES = ("random-conv", "alexnet")
MOST = 200_000  # bytes of an image
Pixels = np.ndarray  # uint8 (N, H, W, C)


def run_of(name: str, chosen: argparse.Namespace) -> FolderRun:
    """Return the run of a recipe on the folder; its length is measured once, if it is trained, and kept beside it."""
    words = [word for setting in GAMES[name] for word in ("--set", setting)]
    if name in chosen.games:
        kept = chosen.out / name / "images.txt"
        if not kept.exists():
            length = length_of(name, chosen.images, chosen.minutes)
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(f"{length}\n", encoding="utf-8")
        words += ["--images", kept.read_text(encoding="utf-8").strip()]
    return FolderRun(name, chosen.images, chosen.out, ("--size", str(SIZE), *words))


def commands(runs: list[FolderRun], kept: dict[str, str]) -> str:
    """Return the command of each run, as it is written on the page where the run's row is kept."""
    lines = [f"    {run.shown('photos/')}" for run in runs]
    for number, run in enumerate(runs):
        begin = f"    zerosum train {run.name} "
        written = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith(begin)]
        if run.name in kept and written:
            lines[number] = written[0]
    return "\n".join(lines)


def length_of(name: str, images: Path, minutes: float) -> int:
    """Images that a recipe is trained on in so many minutes of one core, by the processor time of some iterations."""
    recipe = reduce(with_setting, GAMES[name], replace(named(name), data=Images(str(images), size=SIZE)))
    dataset, place = recipe.data.open(), torch.device("cpu")
    torch.set_num_threads(1)
    keep_memory()
    game = build_game(recipe, dataset, place, choose_precision(recipe.precision, place, convolutional=True))
    batches = Batches(dataset, recipe.batch, recipe.conditional, recipe.seed, place, 0, recipe.label_dropout)
    for _ in range(FIRST):
        game.step(batches)
    began, before = time.process_time(), game.images
    while (spent := time.process_time() - began) < PACE:
        game.step(batches)
    return int(60 * minutes * SHARE * (game.images - before) / spent / recipe.batch) * recipe.batch


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
    shown = [f"### {run.name}\n\n![{run.name}](../../docs/images/photographs-{run.name}.png)" for run in runs]
    about = f"{len(real):,} photographs of {' x '.join(map(str, real.shape[1:]))}; every other set has {len(others):,}."
    return "\n\n".join([commands(runs, kept), "\n".join(lines), about, *shown])


def main(arguments: list[str] | None = None) -> int:
    """Train unfinished runs and write the page; exit status 1 if a run failed."""
    parser = folder_parser(__doc__, GAMES, OUT)
    parser.add_argument("--held-out", type=Path, required=True, help="photographs that are not trained on")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="of one core, for each run that begins")
    chosen = parser.parse_args(arguments)
    written = kept_rows(PAGE, GAMES)
    runs = [run_of(name, chosen) for name in GAMES if name in chosen.games or name in written]
    return train_and_write("photographs", PAGE, runs, chosen, lambda kept: page(runs, chosen.held_out, kept))


if __name__ == "__main__":
    raise SystemExit(main())
