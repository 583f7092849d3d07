"""Whether a resumed run has the data that it began with, but for files that it never read whole."""

__all__ = ()

import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from zerosum._disk import read_foreign, replace_durably
from zerosum._json import read_json
from zerosum.data.dataset import Dataset
from zerosum.data.fingerprints import fingerprint
from zerosum.runs.files import UNREAD
from zerosum.runs.plain_json import MOST

DATA = "data"  # the name, among a checkpoint's numbers, of the fingerprint of the run's data
_FILES, _REST = "files", "data"  # in the file: the names, and the fingerprint of the data without these files


def same_data(run: Path, before: Any, dataset: Dataset) -> str:
    """The fingerprint of a run's data.

    Args:
        run: the run folder.
        before: the fingerprint in the checkpoint to resume from; None for a new run.
        dataset: the data.

    Raises:
        ValueError: where the data differ from those of the checkpoint in more than files that were never read whole.
    """
    now = fingerprint(dataset)
    if before is None or before == now:
        return now
    unread, rest = _read(run)
    if unread and fingerprint(dataset, unread) == rest:
        return now
    hint = f" (a broken file, as {unread[0]!a:.80}, may be replaced by another of its name)" if unread else ""
    raise ValueError(
        f"{dataset.name} is not what {run} was trained on before: its samples, their order or their labels have "
        f"changed. Restore the former data{hint}, or start a new run from its weights with --from {run} --out"
    )


def forget_unread(run: Path) -> None:
    """Count no file as never read any more: those that were repaired are read from now on."""
    (run / UNREAD).unlink(missing_ok=True)


class UnreadFiles:
    """The files that no start of a run has read whole; they may be repaired before the next.

    Args:
        run: the run folder.
        dataset: the data.
        drawn: indices of the samples that former starts have read.
    """

    def __init__(self, run: Path, dataset: Dataset, drawn: Tensor) -> None:
        self._run, self._dataset, self._drawn = run, dataset, drawn

    def note(self, broken: Iterable[Mapping[str, Collection[int]]]) -> None:
        """Write down which of the files that each rank could not read are such files, by their indices."""
        met = {name: {*indices} for one in broken for name, indices in one.items()}
        if not met:
            return
        drawn, before = {*self._drawn.tolist()}, _read(self._run)[0]
        files = sorted({*before} | {name for name, indices in met.items() if not indices & drawn})
        if files != before:
            found = {_FILES: files, _REST: fingerprint(self._dataset, files)}
            replace_durably(self._run / UNREAD, json.dumps(found, indent=1).encode())


def _read(run: Path) -> tuple[list[str], Any]:
    """The names of such files, and the fingerprint of the others; no names where the file is missing or damaged."""
    try:
        found = read_json(UNREAD, read_foreign(run / UNREAD, MOST))
    except (OSError, ValueError):
        return [], None
    names = found.get(_FILES) if isinstance(found, dict) else None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return [], None
    return names, found.get(_REST)
