"""One writer at a time: the lock of a run folder."""

__all__ = ()

import fcntl
import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from zerosum.runs.files import LOCK
from zerosum.runs.plain_json import read_json

_LONGEST = 1_000  # bytes of what a holder says of itself


@contextmanager
def locked(run: Path, say: Callable[[str], None] = lambda _: None) -> Iterator[None]:
    """Hold the lock of a run folder, which is made where it is not there.

    It is an advisory `flock` on the file `.lock`, in which the holder writes its process and host. The system lets go
    of it when the holder ends, in whatever way, so a dead process holds nothing, and the file may stay. Among processes
    of one host this holds on every local disk. Among hosts it holds where the network's file system passes locks on, as
    NFS does (Linux 2.6.12 and later), CephFS, GPFS, and Lustre mounted with `flock`; where it keeps them to the host, a
    process on another host is not seen. Where it has no locks at all, `say` is told so.

    Raises `ValueError` where another process holds it.
    """
    run.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(run / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _holder(os.pread(descriptor, _LONGEST, 0))
            raise ValueError(
                f"{run} is being written by {holder}: wait for it to end, or name another folder with --out"
            ) from None
        except OSError as error:
            say(f"{run} lies where files cannot be locked ({error.strerror}): see that nothing else writes to this run")
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps({"process": os.getpid(), "host": socket.gethostname()}).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def is_locked(run: Path) -> bool:
    """Whether a process holds the lock of a run folder, as far as this host can see; nothing is written."""
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


def _holder(content: bytes) -> str:
    try:
        facts = read_json(LOCK, content)
        return f"process {int(facts['process'])} on {facts['host']}"
    except (ValueError, KeyError, TypeError):
        return "another process"
