"""Atomic and durable writes of files, and safe reads of untrusted files."""

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

_ADDED = os.O_WRONLY | os.O_APPEND | os.O_CREAT


def temporary(path: Path) -> Path:
    """The name of a file or folder while this process writes it."""
    return path.with_name(f".{path.name}.{os.getpid()}.tmp")


def is_temporary(name: str) -> bool:
    """Whether a file or folder is one that a process was writing."""
    return name.startswith(".") and name.endswith(".tmp")


def create(path: Path) -> IO[bytes]:
    """Create a file for writing; what has its name is removed, and a link is not followed."""
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666), "wb")


def open_own(path: Path, flags: int = _ADDED) -> int:
    """Open a file that is written in place, by default to append to it, and return its descriptor.

    Raises:
        OSError: if it cannot be opened.
        ValueError: for a link, also a hard link, and a pipe, device or folder: writing would change another file.
    """
    try:
        descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
    except OSError:
        if path.is_symlink():
            raise _foreign(path) from None
        raise
    facts = os.fstat(descriptor)
    if not stat.S_ISREG(facts.st_mode) or facts.st_nlink > 1:
        os.close(descriptor)
        raise _foreign(path)
    return descriptor


def plain_folder(path: Path, make: bool = False) -> Path:
    """Return a folder within an untrusted one, created with `make`; raises `ValueError` if it is a link."""
    if path.is_symlink():
        raise ValueError(f"{path} is a link, and links in a run folder are not followed: remove it")
    if make:
        path.mkdir(parents=True, exist_ok=True)
    return path


def write_durably(path: Path, content: bytes) -> None:
    """Write a new file, in place of one with its name, and wait until it is on disk."""
    with create(path) as file:
        file.write(content)
        sync_file(file)


def replace_durably(path: Path, content: bytes) -> None:
    """Replace a file atomically, so that a reader sees either the old content or the new.

    Raises `ValueError` for a link, and `OSError` if it cannot be written; then the old file stays.
    """
    with _renamed(path) as unfinished:
        write_durably(unfinished, content)


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Yield a new file that replaces `path` at the end of the block; after an error the old file stays.

    Raises `ValueError` for a link, and `OSError` if it cannot be written.
    """
    with _renamed(path) as unfinished, create(unfinished) as file:
        yield file
        sync_file(file)


@contextmanager
def _renamed(path: Path) -> Iterator[Path]:
    """Yield a temporary name, and rename it at the end; after an error it is removed."""
    if path.is_symlink():
        raise _foreign(path)
    unfinished = temporary(path)
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
    sync_folder(path.parent)


def _foreign(path: Path) -> ValueError:
    return ValueError(f"{path} is a link or not a regular file, and is not written: remove it, or name another")


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
    check_foreign(path)  # first, since a socket cannot even be opened
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        facts = os.fstat(file.fileno())
        if not stat.S_ISREG(facts.st_mode):
            raise ValueError(f"{path} is not a regular file, but a folder or a pipe")
        if most is not None and facts.st_size > most:
            raise ValueError(f"{path} has more than {most >> 20} MB, the limit for such a file")
        return file.read()


def check_foreign(path: Path) -> None:
    """Raise `ValueError` unless a path is a regular file, and `FileNotFoundError` if it does not exist."""
    if not stat.S_ISREG(path.lstat().st_mode):
        raise ValueError(f"{path} is not a regular file, but a link, a folder or a pipe")


def read_text(path: Path, most: int) -> str:
    """Read an untrusted text file; raises as `read_foreign` does, and `ValueError` for other than UTF-8."""
    try:
        return read_foreign(path, most).decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 text: byte {error.start:,} is not part of any character") from None
