"""Atomic and durable writes of files, and safe reads of untrusted files."""

import hashlib
import os
import stat
from pathlib import Path
from typing import IO, Any


def temporary(path: Path) -> Path:
    """The name of a file or folder while it is being written."""
    return path.with_name(f".{path.name}.tmp")


def write_durably(path: Path, content: bytes) -> None:
    """Write a file and wait until it is on disk."""
    with path.open("wb") as file:
        file.write(content)
        sync_file(file)


def replace_durably(path: Path, content: bytes) -> None:
    """Replace a file atomically, so that a reader sees either the old content or the new."""
    unfinished = temporary(path)
    try:
        write_durably(unfinished, content)
        unfinished.replace(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_file(file: IO[Any]) -> None:
    """Wait until the content of a file is on disk."""
    file.flush()
    os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Wait until the names in a folder are on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def file_hash(path: Path) -> str:
    """The sha256 of a file's bytes, in hexadecimal; raises `OSError` where it cannot be read."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_foreign(path: Path, most: int | None = None) -> bytes:
    """Read an untrusted file.

    Links are not followed, and pipes and devices are not waited for.

    Args:
        path: the file.
        most: largest size in bytes; None for no limit.

    Raises:
        FileNotFoundError: if it does not exist.
        OSError: if it cannot be read.
        ValueError: for a link, pipe, device or folder, and for a file of more than `most` bytes.
    """
    if not stat.S_ISREG(path.lstat().st_mode):  # first, since a socket cannot even be opened
        raise ValueError(f"{path} is not a regular file, but a link, a folder or a pipe")
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        facts = os.fstat(file.fileno())
        if not stat.S_ISREG(facts.st_mode):
            raise ValueError(f"{path} is not a regular file, but a folder or a pipe")
        if most is not None and facts.st_size > most:
            raise ValueError(f"{path} has more than {most >> 20} MB, the limit for such a file")
        return file.read()


def read_text(path: Path, most: int) -> str:
    """Read an untrusted text file; raises as `read_foreign` does, and `ValueError` for other than UTF-8."""
    try:
        return read_foreign(path, most).decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 text: byte {error.start:,} is not part of any character") from None
