"""Files that are either whole or not there, whatever ends the process that writes them."""

import hashlib
import os
from pathlib import Path
from typing import IO, Any


def temporary(path: Path) -> Path:
    """What a file or folder is called, beside its place, while it is not whole."""
    return path.with_name(f".{path.name}.tmp")


def write_durably(path: Path, content: bytes) -> None:
    """Write a file and wait until it is on the disk."""
    with path.open("wb") as file:
        file.write(content)
        sync_file(file)


def replace_durably(path: Path, content: bytes) -> None:
    """Put a file in place in one move, so that a reader sees the old content or the new and nothing between."""
    unfinished = temporary(path)
    try:
        write_durably(unfinished, content)
        unfinished.replace(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_file(file: IO[Any]) -> None:
    """Wait until what was written to a file is on the disk."""
    file.flush()
    os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Wait until the names in a folder are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def file_hash(path: Path) -> str:
    """The sha256 of a file's bytes, in hexadecimal; raises `OSError` where it cannot be read."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
