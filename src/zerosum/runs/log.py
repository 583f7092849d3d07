"""The log of a run: one JSON object a tick, with the mean of everything the game said since the last."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from zerosum.runs.checkpoint import replace_durably


class Means:
    """Running sums of scalar tensors, on their device, read once a tick: nothing waits for the device between."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}

    def add(self, log: Mapping[str, Tensor]) -> None:
        """Count in one round's log."""
        for name, value in log.items():
            previous = self._sums.get(name)
            self._sums[name] = value.float() if previous is None else previous + value
            self._counts[name] = self._counts.get(name, 0) + 1

    def take(self) -> dict[str, float]:
        """The means since the last call, and start anew."""
        if not self._sums:
            return {}
        sums = torch.stack([*self._sums.values()]).tolist()
        means = {name: total / self._counts[name] for name, total in zip(self._sums, sums, strict=True)}
        self._sums, self._counts = {}, {}
        return means


def read_log(run: Path) -> list[dict[str, Any]]:
    """The lines of a run's log; a last line cut short by a crash is left out."""
    path = run / "log.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    entries = []
    for number, line in enumerate(lines, 1):
        try:
            entries.append(json.loads(line))
        except ValueError:
            if number < len(lines):
                raise ValueError(f"line {number} of {path} is not JSON") from None
    return entries


def truncate_log(run: Path, images: int) -> None:
    """Drop the lines of a log that lie beyond `images`: they will be lived through again."""
    kept = [entry for entry in read_log(run) if entry["images"] <= images]
    replace_durably(run / "log.jsonl", "".join(json.dumps(entry) + "\n" for entry in kept).encode())


def append_log(run: Path, entry: Mapping[str, Any]) -> None:
    """Add one line to a run's log."""
    with (run / "log.jsonl").open("a") as file:
        file.write(json.dumps(entry) + "\n")
