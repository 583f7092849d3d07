"""Comparison with `particlegan` of PyPI: its default recipe, in the processor time of our run.

    make peers                                  # sets up .venv-peers, once
    python -m benchmarks.peers.peers [--seeds 10] [--tasks ring-8 grid-25]

Each seed of a task's default game is run by `zerosum bench modes`, or its result is reused, and the peer's command gets
the processor time of our command. Its samples are evaluated by `mode_coverage`.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch

from zerosum.bench.modes import Result, plan, real_coverage, run_games
from zerosum.bench.sample_coverage import coverage
from zerosum.bench.subprocesses import Command, run_commands
from zerosum.bench.summary import mode_summary, mode_table
from zerosum.bench.tasks import Task, tasks

PROGRAM = Path(__file__).with_name("peer_particlegan.py")
PYTHON = Path(".venv-peers/bin/python")
OUT = Path("runs/bench/modes")


def peer_file(ours: Result, out: Path) -> Path:
    """File of the peer's samples, for a seed and its processor time."""
    return out / ours.task / "particlegan" / f"{ours.seed:02}-{ours.cpu_seconds:.1f}s.npz"


def play_peer(task: Task, ours: list[Result], python: Path, out: Path, jobs: int) -> list[Result]:
    """Train the peer for each of our results, unless this was done, and evaluate its samples.

    Raises `ValueError` if its Python is missing or its program fails.
    """
    if not python.exists():
        raise ValueError(f"there is no {python}: run `make peers` first")
    data = task.default.data.open()
    points = out / task.name / "points.npy"
    points.parent.mkdir(parents=True, exist_ok=True)
    np.save(points, data.read(torch.arange(len(data))).numpy())
    missing = [result for result in ours if not peer_file(result, out).with_suffix(".json").exists()]
    commands = []
    for result in missing:
        file = peer_file(result, out)
        words = [str(python), str(PROGRAM), str(points), str(file), "--cpu", str(result.cpu_seconds)]
        words += ["--seed", str(result.seed), "--samples", str(task.samples)]
        commands.append(Command(tuple(words), file.with_suffix(".log")))
    for number, ended in run_commands(commands, jobs, 1):
        log = commands[number].log
        if ended.code:
            raise ValueError(f"the peer ended with {ended.code}; its output is in {log}")
        file = peer_file(missing[number], out)
        file.with_suffix(".json").write_text(json.dumps({"seconds": ended.seconds, "cpu_seconds": ended.cpu_seconds}))
    return [read_peer(task, result, out) for result in ours]


def read_peer(task: Task, ours: Result, out: Path) -> Result:
    """The result of the peer for one of our runs."""
    file = peer_file(ours, out)
    with np.load(file) as archive:
        samples, steps, version = archive["samples"], int(archive["steps"]), str(archive["version"])
    found = coverage(torch.from_numpy(samples), task.default.data, out)
    time = json.loads(file.with_suffix(".json").read_text())
    return Result(task.name, f"particlegan {version}", ours.seed, found, steps, **time)


def say(message: str) -> None:
    """Print a message to standard error."""
    print(message, file=sys.stderr, flush=True)


def no_progress(done: int, total: int) -> None:
    """Progress is not displayed."""


def main(arguments: list[str] | None = None) -> int:
    """Run both and print a table for each task."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known = {task.name: task for task in tasks()}
    parser.add_argument("--tasks", nargs="+", default=["ring-8", "grid-25"], choices=known)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--python", type=Path, default=PYTHON, help="the Python that has particlegan")
    parser.add_argument("--out", type=Path, default=OUT, help="the folder of `zerosum bench modes`")
    parser.add_argument("--jobs", type=int, default=2, help="parallel runs, one thread each")
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="KEY=VALUE", help="for our runs")
    chosen = parser.parse_args(arguments)
    try:
        for name in chosen.tasks:
            task = known[name]
            runs, _ = plan([task], [], chosen.seeds, chosen.settings)
            ours, failures = run_games(runs, chosen.out, chosen.jobs, 1, say, no_progress)
            if failures:
                raise ValueError(failures[0])
            theirs = play_peer(task, ours, chosen.python, chosen.out, chosen.jobs)
            print(mode_table(mode_summary(task, [*ours, *theirs], real_coverage(task, chosen.out))), flush=True)
    except ValueError as error:
        say(f"peers: {error}")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
