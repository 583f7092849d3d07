"""Checkpoints that are either complete or absent.

A checkpoint is a folder of safetensors and JSON files with a manifest of their SHA-256. It is written under a temporary
name on the same disk, every file is fsynced, and one rename makes it visible. It is never overwritten, and it is
renamed before it is removed. So a crash at any moment leaves the other checkpoints intact, and a folder with a
checkpoint's name was complete once. The newest one whose manifest verifies is used.
"""

__all__ = ["Checkpoint", "checkpoints", "load_checkpoint", "newest_checkpoint"]

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
from torch import Tensor

from zerosum._arrays import separated
from zerosum._disk import plain_folder, read_foreign, sync_folder, temporary, write_durably
from zerosum._foreign import tensors_of
from zerosum._json import read_json
from zerosum.runs.files import CHECKPOINTS, FOLDERS
from zerosum.runs.plain_json import MOST

MANIFEST = "manifest.json"
NUMBERS = "numbers.json"
ASIDE = ".unusable"  # suffix of a checkpoint that could not be used and was set aside


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """The content of a checkpoint: named groups of tensors, and JSON-compatible numbers."""

    groups: Mapping[str, Mapping[str, Tensor]]
    numbers: Mapping[str, Any]


def checkpoint_path(run: Path, images: int) -> Path:
    """The path of the checkpoint after `images` images in a run folder."""
    return run / CHECKPOINTS / f"{images:012d}"


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint folder durably and atomically.

    Raises `OSError` when writing fails, and `ValueError` when the path exists: checkpoints are never overwritten.
    """
    if path.exists():
        raise ValueError(f"{path} exists already, and checkpoints are never overwritten")
    unfinished = plain_folder(path.parent, make=True) / temporary(path).name
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    try:
        manifest = {}
        for name, content in _files(checkpoint):
            write_durably(unfinished / name, content)
            manifest[name] = hashlib.sha256(content).hexdigest()
        write_durably(unfinished / MANIFEST, json.dumps(manifest, indent=1).encode())
        sync_folder(unfinished)
        unfinished.rename(path)
        sync_folder(path.parent)
    except OSError:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def load_checkpoint(path: Path) -> Checkpoint:
    """Load a checkpoint; raises `ValueError` when a file is missing, unexpected or damaged."""
    contents = _verified(path)
    numbers = read_json(NUMBERS, contents.pop(NUMBERS))
    if not isinstance(numbers, dict):
        raise ValueError(f"{NUMBERS} should be a JSON object")
    groups = {}
    for name, raw in contents.items():
        groups[name.removesuffix(".safetensors")] = tensors_of(name, raw)
    return Checkpoint(groups, numbers)


def checkpoints(run: Path) -> list[Path]:
    """The checkpoint folders of a run, newest first, whether or not they verify.

    Raises `ValueError` if `checkpoints/` is a link.
    """
    folder = plain_folder(run / CHECKPOINTS)
    entries = folder.iterdir() if folder.is_dir() else ()
    found = [p for p in entries if p.name.isdecimal() and p.name.isascii() and p.is_dir() and not p.is_symlink()]
    return sorted(found, key=lambda p: int(p.name), reverse=True)


def newest_checkpoint(
    run: Path, check: Callable[[Checkpoint], None] = lambda _: None
) -> tuple[Path, Checkpoint, list[str]] | None:
    """The newest valid checkpoint of a run, with a message for each newer invalid one; None without checkpoints.

    `check` may raise `ValueError` for a valid one that does not fit the run.

    Raises `ValueError` when there are checkpoints but none can be used.
    """
    troubles: list[str] = []
    for path in checkpoints(run):
        try:
            found = load_checkpoint(path)
            if found.numbers.get("images") != int(path.name):
                raise ValueError("its name and its numbers differ in the count of images")
            check(found)
        except (ValueError, OSError) as error:
            troubles.append(f"checkpoint {path.name} cannot be used ({error}); looking for an older one")
        else:
            return path, found, troubles
    if troubles:
        first = troubles[0].partition("; looking")[0]
        raise ValueError(f"{run} has no checkpoint that can be used: {first}. Restore one, or start another run")
    return None


def prune_checkpoints(run: Path, keep: int) -> None:
    """Remove all but the newest `keep` checkpoints of a run."""
    _remove(checkpoints(run)[keep:])


def remove_newest(run: Path, count: int) -> None:
    """Remove the newest `count` checkpoints of a run, which goes on from an earlier one."""
    _remove(checkpoints(run)[:count])


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        doomed = temporary(path)
        shutil.rmtree(doomed, ignore_errors=True)
        shutil.rmtree(path.rename(doomed))  # renamed first, so that a crash leaves no incomplete checkpoint


def set_aside(run: Path, images: int) -> None:
    """Rename checkpoints beyond `images`, none of which can be used, so that they are ignored."""
    for path in checkpoints(run):
        if int(path.name) > images:
            target = path.with_name(path.name + ASIDE)
            shutil.rmtree(target, ignore_errors=True)
            path.rename(target)


def sweep(run: Path) -> None:
    """Remove incomplete files of a killed process from a run folder. Requires the run's lock.

    Raises `ValueError` if a folder in it is a link.
    """
    for folder in (run, *(plain_folder(run / name) for name in FOLDERS)):
        for path in folder.glob(".*.tmp"):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()


def _files(checkpoint: Checkpoint) -> Iterator[tuple[str, bytes]]:
    """The files of a checkpoint, one at a time to save memory."""
    for name, tensors in checkpoint.groups.items():
        if tensors:
            content = safetensors.torch.save(separated(tensors))
            yield f"{name}.safetensors", content
    yield NUMBERS, json.dumps(dict(checkpoint.numbers), indent=1).encode()


def _verified(path: Path) -> dict[str, bytes]:
    try:
        manifest = read_json(MANIFEST, read_foreign(path / MANIFEST, MOST))
    except (OSError, ValueError) as error:
        raise ValueError(f"its manifest cannot be read: {error}") from None
    if not isinstance(manifest, dict) or NUMBERS not in manifest:
        raise ValueError("its manifest is not that of a zerosum checkpoint")
    for name in manifest:
        if Path(name).name != name or not (name.endswith(".safetensors") or name == NUMBERS):
            raise ValueError(f"its manifest names an unexpected file {name!a:.80}")
    strange = sorted(
        p.name for p in path.iterdir() if not p.name.startswith(".") and p.name not in {MANIFEST, *manifest}
    )
    if strange:
        raise ValueError(f"it has an unexpected file {strange[0]!a:.80}")
    contents = {}
    for name, digest in manifest.items():
        try:
            contents[name] = read_foreign(path / name, MOST if name == NUMBERS else None)
        except FileNotFoundError:
            raise ValueError(f"{name} is missing") from None
        if hashlib.sha256(contents[name]).hexdigest() != digest:
            raise ValueError(f"{name} is damaged: its SHA-256 differs from the manifest's")
    return contents
