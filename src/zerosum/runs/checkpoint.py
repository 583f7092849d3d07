"""Checkpoints that are either whole or not there.

A checkpoint is a folder of safetensors and JSON files with a manifest of their sha256. It is written under a temporary
name on the same disk, every file is fsynced, and one rename makes it visible; it is never written over, and it leaves
by a rename as well. So a crash at any moment leaves the other checkpoints as they were, and what has a checkpoint's
name was whole once. The newest one whose manifest verifies is the one that counts.
"""

__all__ = ["Checkpoint", "checkpoints", "load_checkpoint", "newest_checkpoint"]

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor

from zerosum._disk import read_foreign, sync_folder, temporary, write_durably
from zerosum.runs.files import CHECKPOINTS, SAMPLES
from zerosum.runs.plain_json import MOST, read_json

MANIFEST = "manifest.json"
NUMBERS = "numbers.json"
ASIDE = ".unusable"  # ends the name of a checkpoint that could not be used and was moved out of the way


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """What a checkpoint holds: named groups of tensors, and numbers that JSON can carry."""

    groups: Mapping[str, Mapping[str, Tensor]]
    numbers: Mapping[str, Any]


def checkpoint_path(run: Path, images: int) -> Path:
    """Where the checkpoint after `images` images lies in a run folder."""
    return run / CHECKPOINTS / f"{images:012d}"


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint folder, durably and in one rename.

    Raises `OSError` where the disk refuses, and `ValueError` where there is one of that name: a good checkpoint is
    never written over, since for a moment there would be none.
    """
    if path.exists():
        raise ValueError(f"{path} is there already, and a checkpoint is never written over")
    unfinished = temporary(path)
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
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
    """Read a checkpoint back; raises `ValueError` where a file is missing, foreign or not what was written."""
    contents = _verified(path)
    numbers = read_json(NUMBERS, contents.pop(NUMBERS))
    if not isinstance(numbers, dict):
        raise ValueError(f"{NUMBERS} holds no numbers by name")
    groups = {}
    for name, raw in contents.items():
        try:
            groups[name.removesuffix(".safetensors")] = safetensors.torch.load(raw)
        except (safetensors.SafetensorError, ValueError, KeyError) as error:
            raise ValueError(f"{name} does not read as safetensors: {error!s:.100}") from None
    return Checkpoint(groups, numbers)


def checkpoints(run: Path) -> list[Path]:
    """The checkpoint folders of a run, newest first, whether or not they verify."""
    folder = run / CHECKPOINTS
    entries = folder.iterdir() if folder.is_dir() else ()
    found = [p for p in entries if p.name.isdecimal() and p.name.isascii() and p.is_dir() and not p.is_symlink()]
    return sorted(found, key=lambda p: int(p.name), reverse=True)


def newest_checkpoint(
    run: Path, check: Callable[[Checkpoint], None] = lambda _: None
) -> tuple[Path, Checkpoint, list[str]] | None:
    """The newest checkpoint of a run that verifies, with a sentence for each newer one that does not; None without any.

    `check` may raise `ValueError` for one that is whole but does not fit.

    Raises `ValueError` where there are some and none can be used.
    """
    troubles: list[str] = []
    for path in checkpoints(run):
        try:
            found = load_checkpoint(path)
            if found.numbers.get("images") != int(path.name):
                raise ValueError("its name and its numbers tell different counts of images")
            check(found)
        except (ValueError, OSError) as error:
            troubles.append(f"checkpoint {path.name} cannot be used ({error}); looking for an older one")
        else:
            return path, found, troubles
    if troubles:
        first = troubles[0].partition("; looking")[0]
        raise ValueError(f"{run} has no checkpoint that can be used: {first}. Bring one back, or start another run")
    return None


def prune_checkpoints(run: Path, keep: int) -> None:
    """Remove all but the newest `keep` checkpoints of a run."""
    for path in checkpoints(run)[keep:]:
        doomed = temporary(path)
        shutil.rmtree(doomed, ignore_errors=True)
        shutil.rmtree(path.rename(doomed))  # out of sight first, lest a crash leave half of one


def set_aside(run: Path, images: int) -> None:
    """Move checkpoints beyond `images`, none of which can be used, to where they neither count nor are in the way."""
    for path in checkpoints(run):
        if int(path.name) > images:
            target = path.with_name(path.name + ASIDE)
            shutil.rmtree(target, ignore_errors=True)
            path.rename(target)


def sweep(run: Path) -> None:
    """Remove what a killed process left half written in a run folder. Only for whoever holds the run's lock."""
    for folder in (run, run / SAMPLES, run / CHECKPOINTS):
        for path in folder.glob(".*.tmp"):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()


def _files(checkpoint: Checkpoint) -> Iterator[tuple[str, bytes]]:
    """The files of a checkpoint one by one, so that never all of them are in memory."""
    for name, tensors in checkpoint.groups.items():
        if tensors:
            content = safetensors.torch.save({k: v.detach().cpu().contiguous() for k, v in tensors.items()})
            yield f"{name}.safetensors", content
    yield NUMBERS, json.dumps(dict(checkpoint.numbers), indent=1).encode()


def _verified(path: Path) -> dict[str, bytes]:
    try:
        manifest = read_json(MANIFEST, read_foreign(path / MANIFEST, MOST))
    except (OSError, ValueError) as error:
        raise ValueError(f"its manifest does not read: {error}") from None
    if not isinstance(manifest, dict) or NUMBERS not in manifest:
        raise ValueError("its manifest is not one of ours")
    for name in manifest:
        if Path(name).name != name or not (name.endswith(".safetensors") or name == NUMBERS):
            raise ValueError(f"its manifest names a foreign file {name!a:.80}")
    strange = sorted(
        p.name for p in path.iterdir() if not p.name.startswith(".") and p.name not in {MANIFEST, *manifest}
    )
    if strange:
        raise ValueError(f"it holds a foreign file {strange[0]!a:.80}")
    contents = {}
    for name, digest in manifest.items():
        try:
            contents[name] = read_foreign(path / name, MOST if name == NUMBERS else None)
        except FileNotFoundError:
            raise ValueError(f"{name} is missing") from None
        if hashlib.sha256(contents[name]).hexdigest() != digest:
            raise ValueError(f"{name} is damaged: its sha256 differs from the manifest's")
    return contents
