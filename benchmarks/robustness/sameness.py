"""Whether two runs are equal, bit for bit."""

import json
from pathlib import Path
from typing import Any

import torch

from zerosum.runs.checkpoint import Checkpoint, newest_checkpoint
from zerosum.runs.files import FRAMES, GENERATOR, LOG, SAMPLES
from zerosum.runs.log import read_log

CLOCKS = {"seconds", "images_per_second", "wait"}  # may differ in a resumed run


def differences(one: Path, other: Path) -> list[str]:
    """Differences of two finished runs: in checkpoints, logs except times, sample images, frames, generators."""
    (path, first, _), (own, second, _) = (_newest(run) for run in (one, other))
    found = [] if path.name == own.name else [f"newest checkpoint {path.name} and {own.name}"]
    found += state_differences(first, second)
    if json.dumps(log_of(one)) != json.dumps(log_of(other)):
        found.append(LOG)
    images, others = (
        {p.name: p.read_bytes() for name in (SAMPLES, FRAMES) for p in (run / name).glob("*")} for run in (one, other)
    )
    found += [name for name in sorted({*images, *others}) if images.get(name) != others.get(name)]
    if (one / GENERATOR).read_bytes() != (other / GENERATOR).read_bytes():
        found.append(GENERATOR)
    return found


def state_differences(one: Checkpoint, other: Checkpoint) -> list[str]:
    """The tensors and numbers in which two checkpoints differ, except times."""
    tensors, others = _tensors(one), _tensors(other)
    found = [name for name in sorted({*tensors, *others}) if not _equal(tensors.get(name), others.get(name))]
    numbers = [{name: value for name, value in c.numbers.items() if name not in CLOCKS} for c in (one, other)]
    found += [name for name in {**numbers[0], **numbers[1]} if numbers[0].get(name) != numbers[1].get(name)]
    return found


def count_of_tensors(run: Path) -> int:
    """Number of tensors in a run's newest checkpoint."""
    return len(_tensors(_newest(run)[1]))


def log_of(run: Path) -> list[dict[str, Any]]:
    """The lines of a run's log without times."""
    return [{name: value for name, value in line.items() if name not in CLOCKS} for line in read_log(run)]


def _newest(run: Path) -> tuple[Path, Checkpoint, list[str]]:
    found = newest_checkpoint(run)
    if found is None:
        raise ValueError(f"{run} has no checkpoint to compare")
    return found


def _tensors(checkpoint: Checkpoint) -> dict[str, torch.Tensor]:
    return {f"{group}.{name}": t for group, tensors in checkpoint.groups.items() for name, t in tensors.items()}


def _equal(one: torch.Tensor | None, other: torch.Tensor | None) -> bool:
    if one is None or other is None or one.dtype != other.dtype or one.shape != other.shape:
        return False
    return one.contiguous().flatten().view(torch.uint8).equal(other.contiguous().flatten().view(torch.uint8))
