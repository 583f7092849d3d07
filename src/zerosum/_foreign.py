"""Tensors and archives that anybody may have written, and what is made of foreign content."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import safetensors
import safetensors.torch
from torch import Tensor

from zerosum._disk import check_foreign
from zerosum._faults import is_of_memory

# What code raises that takes apart values of other kinds than it expects.
_ODD = (KeyError, IndexError, TypeError, AttributeError, RuntimeError, ArithmeticError, NotImplementedError)
_LARGE, _RATIO = 1 << 28, 200  # bytes that an archive may unpack to at any ratio, and the largest ratio above


@contextmanager
def taken_apart(what: object) -> Iterator[None]:
    """Raise errors of code that takes apart the content of a file, or builds something of it, as `ValueError`."""
    try:
        yield
    except (*_ODD, safetensors.SafetensorError) as error:
        if is_of_memory(error) or isinstance(error, ValueError):  # which is a sentence already
            raise
        reason = " ".join(str(error).split())
        raise ValueError(f"{what} is damaged, or of another kind: {type(error).__name__}, {reason:.200}") from error


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors of a safetensors file by name, and its metadata.

    Raises:
        FileNotFoundError: if it does not exist.
        ValueError: for anything else than a complete safetensors file; links are not followed.
    """
    check_foreign(path)
    try:
        with taken_apart(path), safetensors.safe_open(str(path), framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, dict(file.metadata() or {})  # noqa: SIM118
    except (OSError, ValueError) as error:
        reason = " ".join(str(error.__cause__ or error).split())
        raise ValueError(f"{path} is not a valid safetensors file: {reason:.200}") from None


def check_unpacked(path: Path) -> None:
    """Raise `ValueError` for a zip, such as an `.npz`, that unpacks to far more than its own size."""
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile):
        return  # it is no zip, or a damaged one, which its reader reports
    size = path.stat().st_size
    if unpacked > _LARGE and unpacked > _RATIO * size:
        raise ValueError(
            f"{path} has {size / 1e6:,.1f} MB and unpacks to {unpacked / 1e9:,.1f} GB, over {_RATIO} times as much: "
            f"if it should, save it without compression, by np.savez"
        )


def tensors_of(name: str, content: bytes) -> dict[str, Tensor]:
    """The tensors of the content of a safetensors file; raises `ValueError` for anything else."""
    try:
        with taken_apart(name):
            return safetensors.torch.load(content)
    except ValueError as error:
        raise ValueError(f"{name} is not a valid safetensors file: {error.__cause__ or error!s:.100}") from None
