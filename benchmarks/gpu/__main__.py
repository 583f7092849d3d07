"""What a GPU does, in one command of at most eight minutes.

    python -m benchmarks.gpu [--device cuda] [--minutes 8] [--only waits steps] [--batch 4] [--samples runs/gpu.png]

It counts where the host waits for the GPU in a step of each recipe; times R3GAN and StyleGAN2 at published sizes, as a
step is usually written and as ours is, eager, compiled and with CUDA graphs, in both number formats; runs the tests
that have a form for CUDA; and trains on colour images for a short time. Each measurement has a process and a time of
its own, which it takes from no other, and leaves to the next what it does not need. One table is printed, for
`docs/benchmarks.md`, and what was not measured below it, with the reason.

The exit status is 0 where all was measured, 1 where something failed or took too long, and 3 where the machine lacks
what it needs. `--device cpu --small` tries the command without a GPU.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from benchmarks.gpu.needs import device_name, missing_bfloat16, missing_compiler, missing_device
from benchmarks.gpu.rows import Row, rows_in, table
from benchmarks.gpu.steps import TERMS
from benchmarks.gpu.waits import FAILED
from benchmarks.machine import machine
from benchmarks.places import ROOT
from zerosum.recipes.named_recipes import catalogue

KINDS = ("waits", "steps", "tests", "colours", "compiled")
END = 8.0  # seconds of the whole for starting and printing
DONE, FAILURE, LACKING = 0, 1, 3  # exit statuses


@dataclass(frozen=True)
class Part:
    """A measurement in a process of its own.

    Attributes:
        kind: one of `KINDS`.
        name: what is measured, in words.
        words: the module below `benchmarks.gpu`, and its arguments.
        seconds: its time, as a share of that of all parts: of eight minutes, about seconds.
        compared: rows of the same name are compared with the first of them; empty for none.
    """

    kind: str
    name: str
    words: tuple[str, ...]
    seconds: float
    compared: str = ""


def parts_of(chosen: argparse.Namespace) -> list[Part]:
    """All parts, those first that are surest to fit."""
    device, small = str(chosen.device), ("--small",) if chosen.small else ()
    brief = ("--seconds", "0.1") if chosen.small else ()
    batch = ("--batch", str(chosen.batch)) if chosen.batch else ()
    minutes = f"{0.7 * chosen.minutes / 8:g}"
    recipes = ("--recipes", "r3gan", "stylegan2", "lecam") if chosen.small else ()
    formats = ("float32",) if missing_bfloat16(chosen.device) else ("float32", "bfloat16")
    ways = [(way, form) for way in ("usual", "eager") for form in formats]
    compiled = [(way, formats[-1]) for way in ("compiled", "CUDA graphs") if way == "compiled" or device != "cpu"]

    def step(game: str, way: str, form: str, kind: str, seconds: float) -> Part:
        words = ("steps", game, way, form, device, *small, *brief, *batch)
        return Part(kind, f"{game}, {way}, {form}", words, seconds, game)

    return [
        Part("waits", "waits of the host", ("waits", device, *recipes), 70),
        *(step(game, way, form, "steps", 20) for game in TERMS for way, form in ways),
        Part("tests", "tests", ("checks", device), 50),
        Part("colours", "colours", ("colours", device, "--minutes", minutes, "--samples", chosen.samples, *small), 70),
        *(step(game, way, form, "compiled", 30) for game in TERMS for way, form in compiled),
    ]


@dataclass(frozen=True)
class Outcome:
    """What a part gave: its rows, and why there are no more; empty where there are all."""

    rows: tuple[Row, ...]
    reason: str = ""


def measured(words: Sequence[str], seconds: float) -> Outcome:
    """Run a process for so many seconds at most, and return what it printed until then."""
    with tempfile.TemporaryFile("w+", errors="replace") as errors:
        process = subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=ROOT, start_new_session=True
        )
        try:
            text, _ = process.communicate(timeout=max(seconds, 0.0))
            reason = f"ended with status {process.returncode}" if process.returncode else ""
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # its compiler's processes as well
            text, _ = process.communicate()
            return Outcome(tuple(rows_in(text)), f"not done within {seconds:.0f} s")
        errors.seek(0)
        # The profiler of PyTorch writes there as well.
        said = [line.strip() for line in errors if line.strip() and not line.startswith("USDT:")]
    return Outcome(tuple(rows_in(text)), f"{reason}: {said[-1]}" if reason and said else reason)


def summed(rows: Sequence[Row]) -> Row:
    """The waits of all recipes in one row."""
    waiting = [f"{row.what} ({row.result})" for row in rows if row.result]
    count = sum(not row.result.startswith(FAILED) for row in rows)
    free = len(rows) - len(waiting)
    found = f"none in {free} of them; " + "; ".join(waiting) if waiting else "none"
    return Row(f"waits of the host in a step of {count} of {len(catalogue())} recipes", found)


def compared(rows: Sequence[Row]) -> list[Row]:
    """The rows with their speed relative to the first."""
    base = rows[0].images_per_second if rows else None
    found = []
    for row in rows:
        assert row.images_per_second and base
        words = (f"{row.images_per_second / base:.2f} times the first", row.result)
        found.append(replace(row, result=", ".join(filter(None, words))))
    return found


def merged(parts: Sequence[Part], outcomes: Sequence[Outcome]) -> list[Row]:
    """The rows of the table, those that are compared with each other beside each other."""
    found: list[Row] = []
    pairs = [*zip(parts, outcomes, strict=True)]
    for name in dict.fromkeys(part.compared or part.name for part in parts):
        own = [(part, row) for part, outcome in pairs for row in outcome.rows if name in (part.compared, part.name)]
        rows = [row for _, row in own]
        if own and own[0][0].kind == "waits":
            rows = [summed(rows)]
        found += compared(rows) if own and own[0][0].compared else rows
    return found


def play(parts: Sequence[Part], seconds: float, lacking: dict[str, str]) -> list[Outcome]:
    """Measure each part; one takes its share of the time, and what those before it left."""
    began, whole, outcomes = time.monotonic(), sum(part.seconds for part in parts), []
    left = whole
    for part in parts:
        left -= part.seconds
        own = seconds - (time.monotonic() - began) - left * seconds / whole
        if part.kind in lacking:
            outcomes.append(Outcome((), lacking[part.kind]))
        else:
            print(f"{part.name}: at most {own:.0f} s", file=sys.stderr, flush=True)
            outcomes.append(measured([sys.executable, "-m", f"benchmarks.gpu.{part.words[0]}", *part.words[1:]], own))
    return outcomes


def main(arguments: list[str] | None = None) -> int:
    """Measure, print the table and what is missing, and return the exit status."""
    began = time.monotonic()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", type=torch.device, default=torch.device("cuda"), help="cuda, or cpu for a trial")
    parser.add_argument("--minutes", type=float, default=8.0, help="for all together")
    parser.add_argument("--only", nargs="+", choices=KINDS, default=KINDS, help="parts to measure")
    parser.add_argument("--batch", type=int, help="batch size of the steps, for a GPU of little memory")
    parser.add_argument("--small", action="store_true", help="tiny networks and few recipes, for a trial")
    parser.add_argument("--samples", default="runs/gpu.png", help="image of the samples of the short run")
    chosen = parser.parse_args(arguments)
    missing = missing_device(chosen.device)
    if missing:
        print(f"gpu: {missing}; nothing was measured. --device cpu --small tries the command", file=sys.stderr)
        return LACKING
    chosen.samples = str(Path(chosen.samples).absolute())
    reason = missing_compiler(chosen.device)
    lacking = {"compiled": reason} if reason else {}
    parts = [part for part in parts_of(chosen) if part.kind in chosen.only]
    outcomes = play(parts, 60 * chosen.minutes - END, lacking)
    named = [f"{part.name}: {o.reason}" for part, o in zip(parts, outcomes, strict=True) if o.reason]
    notes = [*filter(None, [missing_bfloat16(chosen.device)]), *(f"not measured: {words}" for words in named)]
    print("\n".join([table(merged(parts, outcomes)), "", *(f"- {note}." for note in notes)]))
    print(f"\n{device_name(chosen.device)}; {time.monotonic() - began:.0f} s. Machine: {machine()}.")
    if any(o.reason and part.kind not in lacking for part, o in zip(parts, outcomes, strict=True)):
        return FAILURE
    return LACKING if lacking or missing_bfloat16(chosen.device) else DONE


if __name__ == "__main__":
    raise SystemExit(main())
