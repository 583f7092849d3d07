"""Conditions given as an array, a tensor, a list or a file."""

__all__ = ()

from collections.abc import Sequence
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from zerosum._paths import user_path


def numbers(name: str, rows: ArrayLike | Tensor) -> NDArray[Any]:
    """The rows as a float64 array (float32 stays float32); raises `ValueError` unless they are numeric."""
    array = rows.numpy(force=True) if isinstance(rows, Tensor) else np.asarray(rows)
    if array.dtype.kind not in "buif":
        raise ValueError(f"{name} should be numbers, but are {array.dtype}")
    return np.array(array, np.float32 if array.dtype == np.float32 else np.float64)


def array_file(condition: object, texts: Sequence[str]) -> NDArray[Any]:
    """The array in the `.npy` file passed to `--condition`; raises `ValueError` for anything else."""
    if not is_array_file(texts):
        raise ValueError(
            f"--condition takes FILE.npy, once, for conditions of the kind {type(condition).__name__}; "
            f"found {' '.join(texts)!r}"
        )
    path = user_path(texts[0])
    try:
        with path.open("rb") as file:
            rows: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
    except (OSError, EOFError, ValueError, TypeError, OverflowError, MemoryError, TokenError) as error:
        raise ValueError(f"{path} does not read as a .npy file: {error}") from None
    return rows


def is_array_file(texts: Sequence[str]) -> bool:
    """Whether the values of `--condition` are one `.npy` file name."""
    return len(texts) == 1 and texts[0].lower().endswith(".npy") and "=" not in texts[0]
