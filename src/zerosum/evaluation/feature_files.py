"""Features that the user has computed: the arrays of a `.npz` file."""

__all__ = ()

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zerosum._foreign import check_unpacked

_UNREADABLE = (OSError, EOFError, ValueError, TypeError, OverflowError, zipfile.BadZipFile)


def features_in(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a `.npz` with features; empty if it has none or cannot be read."""
    check_unpacked(path)
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            known = [key for key in ("features", "logits", "labels") if key in file.files]
            return {key: file[key] for key in known} if "features" in known else {}
    except _UNREADABLE:
        return {}  # `Arrays` reports what is wrong with it


def checked_features(arrays: Mapping[str, NDArray[Any]], name: str) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """Features `(N, d)`, logits `(N, K)` and labels `(N,)` as tensors; raises `ValueError` for other shapes."""
    features = arrays["features"]
    if features.ndim != 2 or features.dtype.kind != "f" or not features.size:
        raise ValueError(
            f"the features of {name} should be floats (N, d), one row per sample; "
            f"found {features.dtype} {features.shape}"
        )
    logits, labels = arrays.get("logits"), arrays.get("labels")
    if logits is not None and (logits.ndim != 2 or logits.dtype.kind != "f" or len(logits) != len(features)):
        raise ValueError(
            f"the logits of {name} should be floats ({len(features)}, K); found {logits.dtype} {logits.shape}"
        )
    if labels is not None and (labels.shape != (len(features),) or labels.dtype.kind not in "iu" or labels.min() < 0):
        raise ValueError(
            f"the labels of {name} should be integers ({len(features)},) from 0 on; found {labels.dtype} {labels.shape}"
        )
    return (
        _tensor(features),
        None if logits is None else _tensor(logits),
        None if labels is None else torch.from_numpy(labels.astype(np.int64)),
    )


def _tensor(array: NDArray[Any]) -> Tensor:
    return torch.from_numpy(array if array.dtype in (np.float32, np.float64) else array.astype(np.float32))
