"""Train three recent GANs with ADA on a folder of small colour images, and measure the variety of their samples.

    python -m benchmarks.quality.emoji FOLDER [--games r3gan gat stylegan2] [--jobs 2] [--out runs/emoji]

FOLDER contains images of one size on a white background; the results of record are for emoji at 64x64. Each recipe is
trained by `zerosum train NAME --data FOLDER`, with one thread, and interrupted runs are resumed. Samples are written to
`docs/images/emoji-NAME.png`, and their variety, relative to that of the folder, to `benchmarks/results/emoji.md`. The
rows of other recipes are kept.
"""

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
from zerosum.plots.grids import grid

OUT = Path("runs/emoji")
PAGE = RESULTS / "emoji.md"
IMAGES = ROOT / "docs" / "images"
AUGMENT = "augment=AdaptiveAugment(images=100_000)"
GAMES = {"r3gan": 60_000, "gat": 50_000, "stylegan2": 100_000}
"""Length of each run, in images."""
SAMPLES = 400
MOST = 120_000  # bytes of an image; larger than in the gallery, for its colours
GROUND = 240  # a pixel is background if no channel is darker
HEAD = (
    "| game | images | processor s | clock s | p of ADA | r | colours | outlines | on |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
)


def run_of(name: str, images: Path, out: Path) -> FolderRun:
    """Return the run of a recipe on the folder."""
    return FolderRun(name, images, out, ("--images", str(GAMES[name]), "--set", AUGMENT))


def variety(images: np.ndarray) -> tuple[float, float]:
    """Return the mean difference of two images, uint8 `(N, H, W, C)`: in colours and in outlines.

    In colours it is the root mean squared difference, in levels; in outlines the share of pixels that are background in
    exactly one of the two. Both are means over the pairs of neighbours in a circle of random order.
    """
    order = np.random.default_rng(0).permutation(len(images))
    one, other = images[order].astype(np.float64), images[np.roll(order, 1)].astype(np.float64)
    colours = np.sqrt(((one - other) ** 2).mean((1, 2, 3))).mean()
    outlines = ((one.min(3) < GROUND) != (other.min(3) < GROUND)).mean()
    return float(colours), float(outlines)


def row(run: FolderRun, real: tuple[float, float]) -> str:
    """Write an image of a run's samples, and return its row of the table."""
    made = zerosum.Run(run.folder / "run").generator.sample(SAMPLES, seed=0)
    save_small(grid(made[:24], columns=12), IMAGES / f"emoji-{run.name}.png", MOST)
    shares = [f"{100 * mine / theirs:.0f}%" for mine, theirs in zip(variety(made), real, strict=True)]
    last = zerosum.Run(run.folder / "run").log[-1]
    spent = time_of(run.folder)
    time = [f"{spent[name]:,.0f}" for name in ("cpu_seconds", "seconds")]
    ada = [f"{last[f'ADA/{name}']:.2f}" for name in ("p", "r")]
    return f"| `{run.name}` | {' | '.join([format(last['images'], ','), *time, *ada, *shares, machine()])} |"


def page(runs: list[FolderRun], kept: dict[str, str]) -> str:
    """Return the commands, the table and the images of all runs; `kept` has existing rows by recipe."""
    dataset = Images(str(runs[0].images)).open()
    every = torch.randperm(len(dataset), generator=torch.Generator().manual_seed(0))[:SAMPLES]
    real = variety(dataset.read(every).permute(0, 2, 3, 1).numpy())
    commands = "\n".join(f"    {run.shown('emoji/')}" for run in runs)
    images = "\n\n".join(f"### {run.name}\n\n![{run.name}](../../docs/images/emoji-{run.name}.png)" for run in runs)
    rows = "\n".join([HEAD, *(kept.get(run.name) or row(run, real) for run in runs)])
    about = f"{len(dataset):,} images of {' x '.join(map(str, dataset.shape))}."
    return f"{commands}\n\n{rows}\n\n{about}\n\n{images}"


def main(arguments: list[str] | None = None) -> int:
    """Train unfinished runs and write the page; exit status 1 if a run failed."""
    chosen = folder_parser(__doc__, GAMES, OUT).parse_args(arguments)
    runs = [run_of(name, chosen.images, chosen.out) for name in GAMES]
    return train_and_write("emoji", PAGE, runs, chosen, lambda kept: page(runs, kept))


if __name__ == "__main__":
    raise SystemExit(main())
