"""The lock of a run folder, which allows one writer at a time."""

__all__ = ()

import fcntl
import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from zerosum._disk import open_own
from zerosum._json import read_json
from zerosum.runs.files import LOCK

_LONGEST = 1_000  # bytes read from a lock file


@contextmanager
def locked(run: Path, say: Callable[[str], None] = lambda _: None) -> Iterator[None]:
    """Lock a run folder, creating it if needed.

    It is an advisory `flock` on the file `.lock`, which contains the process and host of the owner. The system releases
    it when the owner ends for any reason; the file may remain. It works between processes of one host on every local
    disk. Between hosts it works if the network file system propagates locks, as do NFS (Linux 2.6.12 and later),
    CephFS, GPFS, and Lustre mounted with `flock`; otherwise a process on another host is not detected. If there are no
    locks at all, `say` is called with a warning.

    Raises `ValueError` if another process has the lock, or if `.lock` is a link, hard or symbolic.
    """
    run.mkdir(parents=True, exist_ok=True)
    descriptor = open_own(run / LOCK, os.O_RDWR | os.O_CREAT)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = _owner(os.pread(descriptor, _LONGEST, 0))
            raise ValueError(
                f"{run} is being written by {owner}: wait for it to end, or choose another folder with --out"
            ) from None
        except OSError as error:
            say(f"{run} is on a file system without locks ({error.strerror}): make sure that no other process uses it")
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps({"process": os.getpid(), "host": socket.gethostname()}).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def is_locked(run: Path) -> bool:
    """Whether a process has locked a run folder, as far as this host can detect; nothing is written."""
    try:
        descriptor = os.open(run / LOCK, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False


def _owner(content: bytes) -> str:
    try:
        facts = read_json(LOCK, content)
        return f"process {int(facts['process'])} on {facts['host']}"
    except (ValueError, KeyError, TypeError):
        return "another process"
