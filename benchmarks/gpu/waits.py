"""Counts where the host waits for the GPU within a training step, for every recipe.

    python -m benchmarks.gpu.waits DEVICE [--recipes r3gan stylegan2]

After two steps the third is taken while PyTorch reports each wait of the host, with the line that causes it, and the
fourth in the profiler, which counts the calls of CUDA that wait for all work before them. The flag of the update
before, which the host reads after launching the next, is none of these. On a CPU, where nothing waits, only the
profiler is used, and counts readings of a tensor's value, those of fused Adam included.
"""

import argparse
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.gpu.rows import Row
from zerosum.recipes.named_recipes import catalogue
from zerosum.training.batches import Batches
from zerosum.training.build import build_game

BATCH, BEFORE = 8, 2
CALLS = {"cuda": "cudaStreamSynchronize", "cpu": "aten::_local_scalar_dense"}
"""What the profiler counts, by the type of the device."""
FAILED = "failed with"  # how the words on a recipe begin whose step failed
Step = Callable[[], object]


def step_of(name: str, device: torch.device) -> Step:
    """A step of a recipe on its own data, in a small batch."""
    recipe = replace(catalogue()[name](), batch=BATCH, pretrain=0.0)
    dataset = recipe.data.open()
    game = build_game(recipe, dataset, device, "float32")
    batches = Batches(dataset, BATCH, recipe.conditional, 0, device, 0, recipe.label_dropout)
    return lambda: game.step(batches)


def reported(step: Step) -> Counter[str]:
    """The lines at which the host waited for the GPU in a step, with how often."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            step()
        finally:
            torch.cuda.set_sync_debug_mode("default")
    waits = [one for one in found if "called a synchronizing CUDA operation" in str(one.message)]
    return Counter(f"{Path(one.filename).name}:{one.lineno}" for one in waits)


def profiled(step: Step, device: torch.device) -> Counter[str]:
    """The calls of `CALLS` in a step."""
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if device.type == "cuda" else [])]
    with profile(activities=activities) as found:
        step()
    return Counter({one.key: one.count for one in found.key_averages() if one.key == CALLS[device.type]})


def waits(name: str, device: torch.device) -> str:
    """What is found in a step of a recipe, in words; empty where nothing is."""
    step = step_of(name, device)
    for _ in range(BEFORE):
        step()
    found = reported(step) if device.type == "cuda" else Counter()
    return ", ".join(f"{key} x {count}" for key, count in (found + profiled(step, device)).items())


def main(arguments: list[str] | None = None) -> int:
    """Print a row for each recipe; exit status 1 where one failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("device", type=torch.device)
    parser.add_argument("--recipes", nargs="+", choices=[*catalogue()], default=[*catalogue()], metavar="NAME")
    chosen = parser.parse_args(arguments)
    failed = 0
    for name in chosen.recipes:
        try:
            Row(name, waits(name, chosen.device)).print()
        except (ValueError, RuntimeError) as error:
            Row(name, f"{FAILED} {type(error).__name__}: {str(error).strip().splitlines()[0]}").print()
            failed += 1
    return int(failed > 0)


if __name__ == "__main__":
    raise SystemExit(main())
