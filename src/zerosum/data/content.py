"""Hashes of the bytes of samples."""

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

_CHUNK = 1 << 24  # bytes hashed at once, so that an array on disk is never loaded whole


def content_of(x: Tensor | NDArray[Any]) -> str:
    """The SHA-256 of an array's bytes, in index order."""
    array = np.atleast_1d(x.numpy(force=True) if isinstance(x, Tensor) else x)
    digest = hashlib.sha256()
    rows = max(1, _CHUNK // max(1, array[:1].nbytes))
    for start in range(0, len(array), rows):
        digest.update(np.ascontiguousarray(array[start : start + rows]).data)
    return digest.hexdigest()
