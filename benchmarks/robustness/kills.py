"""Whether runs that are killed and resumed equal uninterrupted ones.

    python -m benchmarks.robustness.kills [--kills 20] [--seed 0] [--json] [--record]

A run of `python -m zerosum train` gets SIGKILL at seeded random moments: at its start and then, alternately, while a
checkpoint is being written, which its temporary folder shows, and at any moment. After each kill the same command
resumes it. At the end, every tensor and number of the newest checkpoint, the log except times, the images of samples
and the generator are compared bit by bit with those of an uninterrupted run.
"""

import argparse
import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.machine import machine
from benchmarks.places import RESULTS
from benchmarks.robustness.sameness import count_of_tensors, differences
from zerosum.augment.adaptive import AdaptiveAugment
from zerosum.data.sources.digits import Digits
from zerosum.data.toys.gaussians import Ring
from zerosum.game.latents import Normal
from zerosum.networks.autoencoder import AutoEncoderDiscriminator
from zerosum.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from zerosum.networks.mlp import MLPGenerator
from zerosum.objectives.energy import BoundaryEquilibrium
from zerosum.objectives.logistic import NonSaturating
from zerosum.recipes.optimisers import Adam, RMSprop
from zerosum.recipes.recipe import Recipe, pretty
from zerosum.runs.files import RECIPE
from zerosum.terms.gradient_penalties import R1
from zerosum.terms.lecam import LeCam
from zerosum.terms.path_length import PathLength
from zerosum.terms.schedules import Cosine, Every
from zerosum.terms.weights import HistoricalAveraging

# Its state: BEGAN's k, two averages of scores, the mean of all past weights, two optimisers, batch norm, the EMA.
POINTS = Recipe(
    name="points",
    data=Ring(count=50),  # no multiple of the batch: epochs end in the middle of batches
    generator=MLPGenerator(hidden=(8,), norm="batch"),
    discriminator=AutoEncoderDiscriminator(size=8, code=4),
    objective=BoundaryEquilibrium(gamma=0.5, rate=0.1),
    latent=Normal(4),
    d_terms=(LeCam(), HistoricalAveraging()),
    G_opt=Adam(schedule=Cosine()),
    D_opt=RMSprop(),
    batch=16,
    images=144,
    ema=100.0,
    tick=48,
    snapshot=32,
)
# ADA's p, the mean path length, lazy terms, convolutions.
IMAGES = Recipe(
    name="images",
    data=Digits(),
    generator=DCGANGenerator(size=4),
    discriminator=DCGANDiscriminator(size=4),
    objective=NonSaturating(),
    conditional=True,
    latent=Normal(8),
    d_terms=(Every(4, R1()),),
    g_terms=(Every(4, PathLength()),),
    augment=AdaptiveAugment(target=0.3, images=2_000),
    batch=16,
    images=320,
    ema=100.0,
    tick=64,
    snapshot=160,
)
RECORD = RESULTS / "kills.md"
_PATIENCE = 300.0  # seconds to wait for a moment to kill it
_LOOK = 0.0005  # seconds between polls
_SNAPSHOTS = 7  # snapshots of the run for each kill: at least one passes between two kills


@dataclass(frozen=True)
class Kill:
    """One kill: its moment, images at the newest checkpoint, and whether a checkpoint was half written."""

    at: str
    images: int
    half_written: bool


def command(recipe: Path, run: Path) -> list[str]:
    """The command of a run."""
    return [sys.executable, "-m", "zerosum", "train", str(recipe), "--out", str(run)]


def lengthened(recipe: Recipe, kills: int, iterations: int) -> Recipe:
    """A recipe with a snapshot after `iterations` iterations, and long enough for the kills."""
    snapshot = recipe.batch * iterations
    return replace(recipe, snapshot=snapshot, tick=snapshot // 2 + recipe.batch, images=snapshot * _SNAPSHOTS * kills)


def killed_run(recipe: Path, run: Path, kills: int, seed: int) -> list[Kill]:
    """Start, kill and resume a run, `kills` times, and then complete it."""
    draws = random.Random(seed)
    found = []
    for number in range(kills):
        at = "its start" if not number else "a checkpoint" if number % 2 else "any moment"
        with subprocess.Popen(command(recipe, run), stderr=subprocess.PIPE, text=True) as process:
            _wait(process, run, at, draws)
            process.kill()
        found.append(Kill(at, max(_saved(run), default=0), _half_written(run)))
    subprocess.run(command(recipe, run), check=True, capture_output=True)
    return found


def _wait(process: "subprocess.Popen[str]", run: Path, at: str, draws: random.Random) -> None:
    """Wait for the moment to kill a process; raises `ValueError` if it ends before."""
    before, began = _saved(run), time.monotonic()

    def until(there: Callable[[], object]) -> None:
        while not there():
            if process.poll() is not None or time.monotonic() - began > _PATIENCE:
                output = process.stderr.read() if process.poll() is not None and process.stderr else "no output"
                raise ValueError(f"it could not be killed at {at}: {output.strip().splitlines()[-1:]}")
            time.sleep(_LOOK)

    if at == "its start":
        until(lambda: (run / RECIPE).exists())
    else:
        until(lambda: _saved(run) - before)  # so that every start makes progress
    while at == "a checkpoint":
        until(lambda: _half_written(run))
        time.sleep(draws.uniform(0, 0.004))
        process.send_signal(signal.SIGSTOP)  # it may be complete by now: check while the process is stopped
        time.sleep(0.01)
        if _half_written(run):
            return
        process.send_signal(signal.SIGCONT)
    time.sleep(draws.uniform(0, 0.2))


def _half_written(run: Path) -> bool:
    """Whether there is a half-written checkpoint."""
    return any((run / "checkpoints").glob(".*.tmp"))


def _saved(run: Path) -> set[int]:
    """The numbers of images at which a run has checkpoints."""
    folder = run / "checkpoints"
    return {int(path.name) for path in folder.iterdir() if path.name.isdecimal()} if folder.is_dir() else set()


def compared(recipe: Recipe, kills: int, seed: int, iterations: int, folder: Path) -> dict[str, Any]:
    """Compare a killed run with an uninterrupted one."""
    recipe = lengthened(recipe, kills, iterations)
    text = folder / f"{recipe.name}.txt"
    text.write_text(pretty(recipe))
    straight, broken = folder / f"{recipe.name}-straight", folder / f"{recipe.name}-killed"
    subprocess.run(command(text, straight), check=True, capture_output=True)
    done = killed_run(text, broken, kills, seed)
    return {
        "recipe": recipe.name,
        "images": recipe.images,
        "seed": seed,
        "kills": [asdict(kill) for kill in done],
        "half_written": sum(kill.half_written for kill in done),
        "tensors": count_of_tensors(straight),
        "differences": differences(straight, broken),
    }


def table(results: list[dict[str, Any]]) -> str:
    """The results as markdown."""
    rows = "".join(
        f"| {r['recipe']} | {r['images']:,} | {len(r['kills'])} | {r['half_written']} | {r['tensors']} | "
        f"{', '.join(r['differences']) or 'none'} |\n"
        for r in results
    )
    head = "| run | images | kills | of these while a checkpoint was written | tensors compared | differences |\n"
    return f"{machine()}, seed {results[0]['seed']}\n\n{head}|---|---|---|---|---|---|\n{rows}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20, help="of each run")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print all of it as JSON")
    parser.add_argument("--record", action="store_true", help=f"write {RECORD.name}, the result of record")
    chosen = parser.parse_args()
    with TemporaryDirectory() as scratch:
        runs = [(POINTS, 40), (IMAGES, 12)]
        results = [compared(r, chosen.kills, chosen.seed, n, Path(scratch)) for r, n in runs]
    print(json.dumps(results, indent=1) if chosen.json else table(results))
    if chosen.record:
        RECORD.write_text(
            "# Killed and resumed runs\n\n`python -m benchmarks.robustness.kills`, whose help describes the method."
            f"\n\n{table(results)}"
        )
    if any(one["differences"] for one in results):
        raise SystemExit("a killed and resumed run differs from an uninterrupted one")
