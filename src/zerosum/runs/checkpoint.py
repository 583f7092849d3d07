"""Checkpoints that are either whole or not there.

A checkpoint is a folder of safetensors and JSON files with a manifest of their sha256. It is written under a temporary
name on the same disk, every file is fsynced, and one rename makes it visible; so a crash at any moment leaves the
earlier checkpoints as they were. The newest one whose manifest verifies is the one that counts.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor

MANIFEST = "manifest.json"


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """What a checkpoint holds: named groups of tensors, and numbers that JSON can carry."""

    groups: Mapping[str, Mapping[str, Tensor]]
    numbers: Mapping[str, Any]


def checkpoint_path(run: Path, images: int) -> Path:
    """Where the checkpoint after `images` images lies in a run folder."""
    return run / "checkpoints" / f"{images:012d}"


def write_durably(path: Path, content: bytes) -> None:
    """Write a file and wait until it is on the disk."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def replace_durably(path: Path, content: bytes) -> None:
    """Put a file in place in one move, so that a reader sees the old content or the new and nothing between."""
    temporary = path.with_name(f".{path.name}.tmp")
    write_durably(temporary, content)
    temporary.replace(path)
    _sync_folder(path.parent)


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint folder, durably and in one rename; one of the same name is replaced.

    Raises `OSError` where the disk refuses; what was there before is then still whole.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        manifest = {}
        for name, content in _files(checkpoint).items():
            write_durably(temporary / name, content)
            manifest[name] = hashlib.sha256(content).hexdigest()
        write_durably(temporary / MANIFEST, json.dumps(manifest, indent=1).encode())
        _sync_folder(temporary)
        if path.exists():
            shutil.rmtree(path)
        temporary.rename(path)
        _sync_folder(path.parent)
    except OSError:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint back; raises `ValueError` where a file is missing, foreign or not what was written."""
    contents = _verified(path)
    numbers = json.loads(contents.pop("numbers.json"))
    groups = {name.removesuffix(".safetensors"): safetensors.torch.load(raw) for name, raw in contents.items()}
    return Checkpoint(groups, numbers)


def checkpoints(run: Path) -> list[Path]:
    """The checkpoint folders of a run, newest first, whether or not they verify."""
    folder = run / "checkpoints"
    found = [p for p in folder.iterdir() if p.is_dir() and p.name.isdigit()] if folder.is_dir() else []
    return sorted(found, key=lambda p: int(p.name), reverse=True)


def newest_checkpoint(run: Path) -> tuple[Path, Checkpoint, list[str]] | None:
    """The newest checkpoint of a run that verifies, with a sentence for each newer one that does not."""
    troubles: list[str] = []
    for path in checkpoints(run):
        try:
            return path, load_checkpoint(path), troubles
        except (ValueError, OSError) as error:
            troubles.append(f"checkpoint {path.name} cannot be used ({error}); looking for an older one")
    return None


def prune_checkpoints(run: Path, keep: int) -> None:
    """Remove all but the newest `keep` checkpoints of a run."""
    for path in checkpoints(run)[keep:]:
        shutil.rmtree(path)


def _files(checkpoint: Checkpoint) -> dict[str, bytes]:
    files = {
        f"{name}.safetensors": safetensors.torch.save({k: v.detach().cpu().contiguous() for k, v in tensors.items()})
        for name, tensors in checkpoint.groups.items()
        if tensors
    }
    return {**files, "numbers.json": json.dumps(dict(checkpoint.numbers), indent=1).encode()}


def _verified(path: Path) -> dict[str, bytes]:
    try:
        manifest = json.loads((path / MANIFEST).read_bytes())
    except (OSError, ValueError) as error:
        raise ValueError(f"its manifest does not read: {error}") from None
    if not isinstance(manifest, dict) or "numbers.json" not in manifest:
        raise ValueError("its manifest is not one of ours")
    contents = {}
    for name, digest in manifest.items():
        if Path(name).name != name or not name.endswith((".safetensors", ".json")):
            raise ValueError(f"its manifest names a foreign file {name!r}")
        try:
            contents[name] = (path / name).read_bytes()
        except OSError:
            raise ValueError(f"{name} is missing") from None
        if hashlib.sha256(contents[name]).hexdigest() != digest:
            raise ValueError(f"{name} is damaged: its sha256 differs from the manifest's")
    return contents


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
