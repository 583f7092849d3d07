"""Files that are either whole or not there, whatever ends the process that writes them, and files of strangers."""

import hashlib
import os
import stat
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


def read_foreign(path: Path, most: int | None = None) -> bytes:
    """The content of a file that anybody may have written.

    A link is not followed, and a pipe or device is not waited for.

    Args:
        path: the file.
        most: bytes that it may have; None for any number.

    Raises:
        FileNotFoundError: where there is none.
        OSError: where it cannot be read.
        ValueError: for a link, pipe, device or folder, and for a file of more than `most` bytes.
    """
    if not stat.S_ISREG(path.lstat().st_mode):  # first, since a socket cannot even be opened
        raise ValueError(f"{path} is no plain file, but a link, a folder or a pipe")
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        facts = os.fstat(file.fileno())
        if not stat.S_ISREG(facts.st_mode):
            raise ValueError(f"{path} is no plain file, but a folder or a pipe")
        if most is not None and facts.st_size > most:
            raise ValueError(f"{path} has more than {most >> 20} MB, far above any honest one")
        return file.read()


def read_text(path: Path, most: int) -> str:
    """The text of a file that anybody may have written; raises what `read_foreign` does, or for other than UTF-8."""
    try:
        return read_foreign(path, most).decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no text in UTF-8: byte {error.start:,} is not part of any character") from None
