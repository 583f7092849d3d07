"""The log of a run: one JSON object per tick, with the means of all logged values since the last."""

__all__ = ["read_log"]

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zerosum._disk import open_own, read_foreign, replace_durably
from zerosum._paths import AnyPath, user_path
from zerosum.runs.files import LOG
from zerosum.runs.plain_json import is_count, is_number

SCORE, ERROR = "score/", "error/"  # prefixes of scores and of their standard errors in a log
ROLLBACK, TREATMENT = _TABLES = ("rollback", "treatment")  # the keys of such events in a log, tables
_LONGEST = 1 << 28  # bytes of a log: a line takes about 600

Series = tuple[NDArray[np.float64], NDArray[np.float64]]


class Means:
    """Running sums of scalar tensors on their device, read once per tick to avoid synchronisation."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}

    def add(self, log: Mapping[str, Tensor]) -> None:
        """Add the log of one step."""
        for name, value in log.items():
            previous = self._sums.get(name)
            self._sums[name] = value.float() if previous is None else previous + value
            self._counts[name] = self._counts.get(name, 0) + 1

    def take(self) -> dict[str, float]:
        """Return the means since the last call, and reset."""
        if not self._sums:
            return {}
        sums = torch.stack([*self._sums.values()]).tolist()
        means = {name: total / self._counts[name] for name, total in zip(self._sums, sums, strict=True)}
        self._sums, self._counts = {}, {}
        return means

    @property
    def counts(self) -> dict[str, int]:
        """How often each name was logged since the last `take`."""
        return dict(self._counts)

    def state_dict(self) -> dict[str, Tensor]:
        """The sums since the last `take`; with `counts` they are the full state."""
        return dict(self._sums)

    def load_state_dict(self, sums: Mapping[str, Tensor], counts: Any, device: torch.device) -> None:
        """Restore sums and their counts by name; raises `ValueError` when they do not fit."""
        if (
            not isinstance(counts, dict)
            or {*sums} != {*counts}
            or any(s.shape or not s.is_floating_point() for s in sums.values())
        ):
            raise ValueError("its sums for the log do not fit their counts")
        if any(type(number) is not int or number < 1 for number in counts.values()):
            raise ValueError("its counts for the log should be integers above 0")
        self._sums = {name: sums[name].to(device) for name in counts}
        self._counts = dict(counts)


def read_log(run: AnyPath) -> list[dict[str, Any]]:
    """The lines of a run's log, without a last line truncated by a crash; empty without a log.

    Raises `ValueError` for an invalid line, and when it is not a regular file.
    """
    return _entries(_lines(user_path(run) / LOG), user_path(run) / LOG)


def curves(log: Sequence[Mapping[str, Any]]) -> dict[str, Series]:
    """Every number in a log by name, as a curve over the images seen, for `plt.plot(*curves["D/loss"])`.

    Each is `(images, values)`, two float64 arrays `(n,)`, of the lines that have the number.
    """
    points: dict[str, list[tuple[float, float]]] = {}
    for line in log:
        for name, value in line.items():
            if is_number(value):
                points.setdefault(name, []).append((line["images"], value))
    arrays = {name: np.array(values, np.float64).T for name, values in points.items()}
    return {name: (images, values) for name, (images, values) in arrays.items()}


def evaluations(log: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The evaluations in a log: `images`, each score by its name, and its standard error as `NAME_error`."""
    return [_scores(line) for line in log if is_evaluation(line)]


def is_evaluation(line: Mapping[str, Any]) -> bool:
    """Whether a line of a log holds scores."""
    return any(name.startswith(SCORE) for name in line)


def truncate_log(run: Path, images: int, lines: int | None = None) -> int:
    """Drop the lines of a log beyond `images`, and those after the first `lines`, before resuming from there.

    Lines after the first `lines` may be damaged. Returns the number of lines left.
    """
    path = run / LOG
    kept = [entry for entry in _entries(_lines(path, lines), path) if entry["images"] <= images]
    replace_durably(path, "".join(json.dumps(entry) + "\n" for entry in kept).encode())
    return len(kept)


def sync_log(run: Path) -> int:
    """Sync a run's log to the disk, and return its number of lines."""
    path = run / LOG
    if not path.exists():
        return 0
    with path.open("rb") as file:
        os.fsync(file.fileno())
        return sum(1 for _ in file)


def append_log(run: Path, entry: Mapping[str, Any]) -> None:
    """Add one line to a run's log, whole or, where the disk is full, not at all."""
    line = (json.dumps(entry) + "\n").encode()
    with os.fdopen(open_own(run / LOG), "ab", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        try:
            while line:
                line = line[file.write(line) :]
        except OSError:
            file.truncate(size)
            raise


def _lines(path: Path, most: int | None = None) -> list[bytes]:
    """The lines of a log, or the first of them; those after may be anything."""
    try:
        lines = read_foreign(path, _LONGEST).split(b"\n")
    except FileNotFoundError:
        return []
    return (lines if lines[-1] else lines[:-1])[:most]


def _entries(lines: Sequence[bytes], path: Path) -> list[dict[str, Any]]:
    entries = []
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            if number < len(lines):
                raise ValueError(f"line {number} of {path} is not JSON: remove this line") from None
            continue
        if not isinstance(entry, dict) or not is_count(entry.get("images")):
            raise ValueError(f"line {number} of {path} has no count of images")
        for name, value in entry.items():
            if not is_number(value) and not (name in _TABLES and isinstance(value, dict)):
                raise ValueError(f"line {number} of {path} should have a number for {name!a:.80}; found {value!a:.80}")
        entries.append(entry)
    return entries


def _scores(line: Mapping[str, Any]) -> dict[str, Any]:
    values = {name.removeprefix(SCORE): value for name, value in line.items() if name.startswith(SCORE)}
    errors = {f"{name.removeprefix(ERROR)}_error": value for name, value in line.items() if name.startswith(ERROR)}
    return {"images": line["images"], **values, **errors}
