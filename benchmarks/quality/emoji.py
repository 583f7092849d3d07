"""Three games of today on small colour pictures, read from a folder under ADA: whether what they make stays as varied.

    python -m benchmarks.quality.emoji FOLDER [--games r3gan gat stylegan2] [--jobs 2] [--out runs/emoji]

FOLDER holds pictures on a white ground, all of one size; the record is of emoji at 64x64. Each game is trained by
`zerosum train NAME --data FOLDER`, one thread a run, and a run that was stopped goes on. Then its samples are drawn
into `docs/images/emoji-NAME.png`, and how varied they are, beside the folder's own, goes into
`benchmarks/results/emoji.md`. The rows of games that are not asked for stay as they are.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

import zerosum
from benchmarks import marked
from benchmarks.machine import machine
from benchmarks.places import RESULTS, ROOT
from benchmarks.quality.gallery import add_time, time_of
from benchmarks.quality.gallery_pictures import save_small
from zerosum.bench.subprocesses import Command, run_commands
from zerosum.data.sources.folders import Images
from zerosum.plots.grids import grid
from zerosum.training.signals import Interrupted

OUT = Path("runs/emoji")
PAGE = RESULTS / "emoji.md"
PICTURES = ROOT / "docs" / "images"
AUGMENT = "augment=AdaptiveAugment(images=100_000)"
GAMES = {"r3gan": 60_000, "gat": 50_000, "stylegan2": 100_000}
"""Images of each game's run."""
SAMPLES = 400
MOST = 120_000  # bytes of a picture, which wants its colours
GROUND = 240  # a pixel belongs to the ground where no channel is darker
HEAD = (
    "| game | images | processor s | clock s | p of ADA | r | colours | outlines | on |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
)


@dataclass(frozen=True)
class Run:
    """One game's run on a folder."""

    name: str
    pictures: Path
    out: Path

    @property
    def folder(self) -> Path:
        """Where the run is kept, with its time."""
        return self.out / self.name

    @property
    def words(self) -> list[str]:
        """The words of its command line after `zerosum`."""
        images = str(GAMES[self.name])
        return ["train", self.name, "--data", str(self.pictures), "--images", images, "--set", AUGMENT]

    @property
    def command(self) -> Command:
        """The command that trains it, or goes on."""
        words = (sys.executable, "-m", "zerosum", *self.words, "--out", str(self.folder / "run"))
        return Command(words, self.folder / "command.log")

    @property
    def ended(self) -> bool:
        """Whether it has been trained to its end."""
        return bool(time_of(self.folder)["ended"])


def variety(pictures: np.ndarray) -> tuple[float, float]:
    """Return how far two of N pictures lie apart, uint8 `(N, H, W, C)`: in colours, and in outlines.

    In colours it is the root of the mean squared difference, in levels; in outlines the share of pixels that are
    ground in one of the two alone. Both are means over all pairs of neighbours in a circle of random order.
    """
    order = np.random.default_rng(0).permutation(len(pictures))
    one, other = pictures[order].astype(np.float64), pictures[np.roll(order, 1)].astype(np.float64)
    colours = np.sqrt(((one - other) ** 2).mean((1, 2, 3))).mean()
    outlines = ((one.min(3) < GROUND) != (other.min(3) < GROUND)).mean()
    return float(colours), float(outlines)


def row(run: Run, real: tuple[float, float]) -> str:
    """Draw a run's samples, and return its row of the table."""
    made = zerosum.Run(run.folder / "run").generator.sample(SAMPLES, seed=0)
    save_small(grid(made[:24], columns=12), PICTURES / f"emoji-{run.name}.png", MOST)
    shares = [f"{100 * mine / theirs:.0f}%" for mine, theirs in zip(variety(made), real, strict=True)]
    last = zerosum.Run(run.folder / "run").log[-1]
    spent = time_of(run.folder)
    time = [f"{spent[name]:,.0f}" for name in ("cpu_seconds", "seconds")]
    ada = [f"{last[f'ADA/{name}']:.2f}" for name in ("p", "r")]
    return f"| `{run.name}` | {' | '.join([format(last['images'], ','), *time, *ada, *shares, machine()])} |"


def kept_rows() -> dict[str, str]:
    """Return the rows that the page has, by game."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    return {name: line for name in GAMES for line in lines if line.startswith(f"| `{name}` |")}


def page(runs: list[Run], kept: dict[str, str]) -> str:
    """Return the table of all runs, with their commands and pictures; of `kept` games, by name, with the row there."""
    dataset = Images(str(runs[0].pictures)).open()
    every = torch.randperm(len(dataset), generator=torch.Generator().manual_seed(0))[:SAMPLES]
    real = variety(dataset.read(every).permute(0, 2, 3, 1).numpy())
    commands = "\n".join(f"    zerosum {said(run)}" for run in runs)
    shown = "\n\n".join(f"### {run.name}\n\n![{run.name}](../../docs/images/emoji-{run.name}.png)" for run in runs)
    rows = "\n".join([HEAD, *(kept.get(run.name) or row(run, real) for run in runs)])
    about = f"{len(dataset):,} pictures of {' x '.join(map(str, dataset.shape))}."
    return f"{commands}\n\n{rows}\n\n{about}\n\n{shown}"


def said(run: Run) -> str:
    """Return a command's words as a person would type them, for a folder called `emoji/`."""
    words = [f"'{word}'" if "(" in word else word for word in run.words]
    return " ".join("emoji/" if word == str(run.pictures) else word for word in words)


def main(arguments: list[str] | None = None) -> int:
    """Train what has not been trained, and write the page; exit status 1 where a run failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", type=Path, metavar="FOLDER")
    parser.add_argument("--games", nargs="+", choices=GAMES, default=[*GAMES])
    parser.add_argument("--jobs", type=int, default=2, help="runs side by side, a thread each")
    parser.add_argument("--out", type=Path, default=OUT, help="where runs are kept and continued")
    chosen = parser.parse_args(arguments)
    runs = [Run(name, chosen.pictures, chosen.out) for name in GAMES]
    todo = [run for run in runs if run.name in chosen.games and not run.ended]
    failed = []
    try:
        for number, ended in run_commands([run.command for run in todo], chosen.jobs, threads=1):
            add_time(todo[number].folder, ended)
            if ended.code and not ended.stopped:
                failed.append(todo[number].name)
                print(f"{failed[-1]} failed; what it said is in {todo[number].command.log}", file=sys.stderr)
    except Interrupted:
        print("stopped, and what ran was saved; the same command continues", file=sys.stderr)
        return 1
    kept = {name: row for name, row in kept_rows().items() if name not in chosen.games}
    waiting = [run.name for run in runs if not run.ended and run.name not in kept]
    if waiting:
        print(f"the page is written once all have ended; still to come: {', '.join(waiting)}", file=sys.stderr)
    else:
        marked.write(PAGE, "emoji", "benchmarks.quality.emoji", page(runs, kept))
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
