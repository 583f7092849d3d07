"""Runs that are killed again and again, and continued, beside runs that are not: do they come to the same?

    python -m benchmarks.robustness.kills [--kills 20] [--seed 0] [--json] [--record]

A run of `python -m zerosum train` gets SIGKILL at seeded random moments: while it begins, anywhere between two
checkpoints, and, by turns, just while a checkpoint is being written, for which its temporary folder is watched. After
each kill the same command continues it. In the end every tensor and number of the newest checkpoint, the log but for
the clocks, the pictures and the generator are compared, bit by bit, with those of the same command left alone.
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

# What it remembers: BEGAN's k, two averages of scores, all weights of the past, two optimisers, batch norm, the EMA.
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
PICTURES = Recipe(
    name="pictures",
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
_PATIENCE = 300.0  # seconds to wait for a moment to kill at
_LOOK = 0.0005  # seconds between two looks
_SNAPSHOTS = 7  # of the run for each kill: each lets the run live for one at least, and has some to spare


@dataclass(frozen=True)
class Kill:
    """One kill: the moment that it was aimed at, images at the newest checkpoint, whether it hit one half written."""

    at: str
    images: int
    half_written: bool


def command(recipe: Path, run: Path) -> list[str]:
    """The command of a run."""
    return [sys.executable, "-m", "zerosum", "train", str(recipe), "--out", str(run)]


def lengthened(recipe: Recipe, kills: int, rounds: int) -> Recipe:
    """A recipe with a snapshot after so many rounds, and long enough for so many kills."""
    snapshot = recipe.batch * rounds
    return replace(recipe, snapshot=snapshot, tick=snapshot // 2 + recipe.batch, images=snapshot * _SNAPSHOTS * kills)


def killed_run(recipe: Path, run: Path, kills: int, seed: int) -> list[Kill]:
    """Start, kill and continue a run so often, and then let it come to its end."""
    draws = random.Random(seed)
    found = []
    for number in range(kills):
        at = "its beginning" if not number else "a checkpoint" if number % 2 else "any moment"
        with subprocess.Popen(command(recipe, run), stderr=subprocess.PIPE, text=True) as process:
            _wait(process, run, at, draws)
            process.kill()
        found.append(Kill(at, max(_saved(run), default=0), _half_written(run)))
    subprocess.run(command(recipe, run), check=True, capture_output=True)
    return found


def _wait(process: "subprocess.Popen[str]", run: Path, at: str, draws: random.Random) -> None:
    """Wait for the moment to kill a process; raises `ValueError` where it ends before."""
    before, asked = _saved(run), time.monotonic()

    def until(there: Callable[[], object]) -> None:
        while not there():
            if process.poll() is not None or time.monotonic() - asked > _PATIENCE:
                said = process.stderr.read() if process.poll() is not None and process.stderr else "nothing"
                raise ValueError(f"no chance to kill it at {at}: {said.strip().splitlines()[-1:]}")
            time.sleep(_LOOK)

    if at == "its beginning":
        until(lambda: (run / RECIPE).exists())
    else:
        until(lambda: _saved(run) - before)  # so that every start gets somewhere
    while at == "a checkpoint":
        until(lambda: _half_written(run))
        time.sleep(draws.uniform(0, 0.004))
        process.send_signal(signal.SIGSTOP)  # it may have been done meanwhile: look while it stands still
        time.sleep(0.01)
        if _half_written(run):
            return
        process.send_signal(signal.SIGCONT)
    time.sleep(draws.uniform(0, 0.2))


def _half_written(run: Path) -> bool:
    """Whether there is a checkpoint that is being written, or was when the process died."""
    return any((run / "checkpoints").glob(".*.tmp"))


def _saved(run: Path) -> set[int]:
    """The counts of images at which a run has checkpoints."""
    folder = run / "checkpoints"
    return {int(path.name) for path in folder.iterdir() if path.name.isdecimal()} if folder.is_dir() else set()


def compared(recipe: Recipe, kills: int, seed: int, rounds: int, folder: Path) -> dict[str, Any]:
    """A run killed so often beside one left alone."""
    recipe = lengthened(recipe, kills, rounds)
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
        runs = [(POINTS, 40), (PICTURES, 12)]
        told = [compared(r, chosen.kills, chosen.seed, rounds, Path(scratch)) for r, rounds in runs]
    print(json.dumps(told, indent=1) if chosen.json else table(told))
    if chosen.record:
        RECORD.write_text(
            f"# Killed and continued\n\nFrom `python -m benchmarks.robustness.kills`, which tells how.\n\n{table(told)}"
        )
    if any(one["differences"] for one in told):
        raise SystemExit("a run that was killed and continued is not the run that it would have been")
