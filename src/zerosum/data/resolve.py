"""Resolve a path, array or data set to a source."""

from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from zerosum._rooms import public
from zerosum.data._paths import existing
from zerosum.data.dataset import Source
from zerosum.data.sources.arrays import Arrays, ArraySource
from zerosum.data.sources.folders import Images
from zerosum.data.sources.packed import is_packed, packed_at
from zerosum.data.sources.torchset import MapStyle, from_torch


@runtime_checkable
class FileFormat(Protocol):
    """A kind of source that recognises its files by name; `source` asks each kind in turn."""

    @staticmethod
    def at(path: Path) -> Source | None:
        """The source for an existing file or folder, or None if it has another format."""
        ...


def source(
    spec: str | Path | Source | NDArray[Any] | Tensor | MapStyle,
    size: int | tuple[int, int] | None = None,
    fit: str = "crop",
) -> Source:
    """Return the source for a path, an array or tensor, a map-style dataset, or a source itself.

    A folder is a packed set (see `PackedSet` and `PackedPairs`) or contains images, as does a `.zip`; `size` and `fit`
    apply to images only (see `Images`). A `.npy` or `.npz` contains arrays. Sources with a method `at` (see
    `FileFormat`), such as `Idx`, recognise their own files and folders. Raises `ValueError` when a path does not exist,
    suggesting similar names, and when its format is unknown.
    """
    path = existing(spec) if isinstance(spec, str | Path) else None
    packed = path is not None and path.is_dir() and is_packed(path)
    known = None if path is None or packed else _by_format(path)
    if path is not None and not packed and known is None and (path.is_dir() or path.suffix.lower() == ".zip"):
        return Images(str(spec), size, fit)
    if size is not None:
        raise ValueError("size applies to folders and zips of images only: resize other data beforehand, or omit size")
    if packed:
        return packed_at(str(spec))
    if known is not None:
        return known
    if path is not None:
        if path.suffix.lower() not in (".npy", ".npz"):
            others = ", ".join(kind.__name__ for kind in _formats())
            raise ValueError(
                f"{path} should be a folder or .zip of images, or a .npy or .npz file of arrays, or have a file "
                f"name that one of {others} recognises"
            )
        return Arrays(str(spec))
    if isinstance(spec, np.ndarray):
        return ArraySource(spec)
    if isinstance(spec, Tensor):
        return ArraySource(spec.numpy(force=True))
    if isinstance(spec, type):
        raise ValueError(f"{spec.__name__} is a class: pass an instance, {spec.__name__}(...)")
    if isinstance(spec, Source):
        return spec
    if isinstance(spec, MapStyle):
        return from_torch(spec)
    raise ValueError(f"data should be a path, a source, an array or a map-style dataset, but is {spec!r}")


def _formats() -> list[type[FileFormat]]:
    kinds = [kind for kind in public("zerosum.data").values() if isinstance(kind, type)]
    return [kind for kind in kinds if issubclass(kind, FileFormat) and kind is not FileFormat]


def _by_format(path: Path) -> Source | None:
    return next((found for kind in _formats() if (found := kind.at(path)) is not None), None)
