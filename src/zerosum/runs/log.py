"""The log of a run: one JSON object a tick, with the mean of everything the game said since the last."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from zerosum._disk import replace_durably


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

    @property
    def counts(self) -> dict[str, int]:
        """How often each name was said since the last `take`."""
        return dict(self._counts)

    def state_dict(self) -> dict[str, Tensor]:
        """The sums since the last `take`; with `counts` they are all of it."""
        return dict(self._sums)

    def load_state_dict(self, sums: Mapping[str, Tensor], counts: Any, device: torch.device) -> None:
        """Go on from sums and their counts by name; raises `ValueError` where one does not fit the other."""
        if (
            not isinstance(counts, dict)
            or {*sums} != {*counts}
            or any(s.shape or not s.is_floating_point() for s in sums.values())
        ):
            raise ValueError("its sums for the log do not fit their counts")
        if any(type(number) is not int or number < 1 for number in counts.values()):
            raise ValueError("its counts for the log should be whole numbers above 0")
        self._sums = {name: sums[name].to(device) for name in counts}
        self._counts = dict(counts)


def read_log(run: Path) -> list[dict[str, Any]]:
    """The lines of a run's log; a last line cut short by a crash is left out."""
    path = run / "log.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    entries = []
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            if number < len(lines):
                raise ValueError(f"line {number} of {path} is not JSON") from None
            continue
        if not isinstance(entry, dict) or type(entry.get("images")) is not int:
            raise ValueError(f"line {number} of {path} does not say after how many images it was written")
        entries.append(entry)
    return entries


def truncate_log(run: Path, images: int, lines: int | None = None) -> int:
    """Drop the lines of a log that lie beyond `images`, and those after the first `lines`: they will be lived again.

    Returns how many are left.
    """
    kept = [entry for entry in read_log(run) if entry["images"] <= images][:lines]
    replace_durably(run / "log.jsonl", "".join(json.dumps(entry) + "\n" for entry in kept).encode())
    return len(kept)


def settle_log(run: Path) -> int:
    """Wait until a run's log is on the disk, and count its lines."""
    path = run / "log.jsonl"
    if not path.exists():
        return 0
    with path.open("rb") as file:
        os.fsync(file.fileno())
        return sum(1 for _ in file)


def append_log(run: Path, entry: Mapping[str, Any]) -> None:
    """Add one line to a run's log."""
    with (run / "log.jsonl").open("a") as file:
        file.write(json.dumps(entry) + "\n")
