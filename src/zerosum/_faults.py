"""Errors for a full disk and for too little memory."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

FULL = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "a file would exceed the size that is allowed",
}
_EXPLAINED = "out of memory"  # how a message that says what to do begins
# PyTorch raises a RuntimeError for most failed allocations outside CUDA; only its message says so.
_PHRASES = ("can't allocate memory", "not enough memory", "out of memory", "ALLOC_FAILED", "bad_alloc")


def is_of_memory(error: BaseException) -> bool:
    """Whether an error is of too little memory."""
    import torch

    message = str(error)
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or any(phrase in message for phrase in _PHRASES)


@contextmanager
def explained_memory(what: str, smaller: str) -> Iterator[None]:
    """Raise errors of too little memory as a `MemoryError` of one sentence: for what, and what to make smaller."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_of_memory(error) or str(error).startswith(_EXPLAINED):
            raise
        raise MemoryError(f"{_EXPLAINED} for {what}: close other programs, or give a smaller {smaller}") from None
