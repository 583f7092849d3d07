"""Data in numpy arrays, in memory or in `.npy` and `.npz` files."""

import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zerosum.data._labels import numbered
from zerosum.data._paths import existing
from zerosum.data._pixels import channel_axis, extremes, scale_of, to_uint8
from zerosum.data.dataset import Dataset, in_memory

Array = NDArray[Any]
_SAMPLES = ("images", "x", "x_train", "data", "points")
_LABELS = ("labels", "y", "y_train")
_CLASSES = ("class_names", "classes")
_DAMAGED = (
    ValueError,
    OSError,
    EOFError,
    OverflowError,
    TypeError,
    TokenError,
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
)
_IN_MEMORY = 1 << 30  # bytes of a .npy file above which its samples stay on disk until they are read


@dataclass(frozen=True)
class Arrays:
    """Images or points in a `.npy` file, or in a `.npz` file with their labels; pickled objects are never read.

    Images are (N, H, W, C), (N, C, H, W) or grey (N, H, W), of integers in 0..255 or floats in 0..1 or -1..1; points
    are floats (N, d) or (N,). Labels are integers or strings (N,). Where a `.npz` names its classes under class_names,
    labels are indices into these; else each distinct label is a class.

    Args:
        path: the file.
        images: the key of the samples in a `.npz`; by default images, x, x_train, data, points or the only array.
        labels: the key of their labels; by default labels, y or, beside x_train, y_train, if there are any.
        layout: "NHWC" or "NCHW", for images whose shape does not tell which axis holds the channels.
    """

    path: str
    images: str | None = None
    labels: str | None = None
    layout: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", str(self.path))  # so that the repr of one made from a Path can be read

    def open(self) -> Dataset:
        """Open the file; raises `ValueError` when it is damaged or holds something else."""
        path = existing(self.path)
        arrays = _load(path)
        if isinstance(arrays, np.ndarray):
            if self.images or self.labels:
                raise ValueError(f"{path.name} holds one array without a name: leave out images= and labels=")
            return _dataset(path.name, arrays, layout=self.layout)
        images = _asked(path.name, arrays, self.images) or _samples_key(path.name, arrays)
        labels = _asked(path.name, arrays, self.labels) or _labels_key(arrays, images)
        classes = next((arrays[key] for key in _CLASSES if key in arrays), None)
        return _dataset(path.name, arrays[images], arrays[labels] if labels else None, classes, self.layout)


@dataclass(frozen=True, eq=False)
class ArraySource:
    """Images or points in a numpy array: what `Arrays` reads, without the file. For use from Python only."""

    samples: Array
    labels: Array | None = None
    layout: str | None = None

    def open(self) -> Dataset:
        """Open the array; raises `ValueError` when it is neither images nor points."""
        return _dataset("array", self.samples, self.labels, layout=self.layout)


def _load(path: Path) -> Array | dict[str, Array]:
    """Read a file of arrays: one, or several by their keys."""
    try:
        if path.suffix == ".npy" and path.stat().st_size > _IN_MEMORY:
            return np.lib.format.open_memmap(path, mode="r")
        with path.open("rb") as file:
            found = np.load(file, allow_pickle=False)
            return found if isinstance(found, np.ndarray) else {key: found[key] for key in found.files}
    except MemoryError as error:
        raise ValueError(f"{path} does not fit into memory: split it, or save it as .npy") from error
    except _DAMAGED as error:
        if "allow_pickle" in str(error) and "Object arrays" in str(error):
            raise ValueError(
                f"{path} holds Python objects, which are not read because they can run code: "
                f"save arrays of numbers, all of one shape"
            ) from error
        raise ValueError(f"{path} is damaged or no {path.suffix} file: {error}") from error


def _asked(name: str, arrays: Mapping[str, Array], key: str | None) -> str | None:
    """Return a key that the user asked for, once it is known to be there."""
    if key is not None and key not in arrays:
        raise ValueError(f"{name} has no {key!r}, but has {_listing(arrays)}")
    return key


def _samples_key(name: str, arrays: Mapping[str, Array]) -> str:
    """Return the key of the samples: the first of the usual ones, or the only one that is nothing else."""
    others = [key for key in arrays if key not in (*_LABELS, *_CLASSES)]
    found = [key for key in _SAMPLES if key in arrays] or (others if len(others) == 1 else [])
    if not found:
        raise ValueError(
            f"{name} should hold its samples under one of {', '.join(_SAMPLES)}, but has {_listing(arrays)}: "
            f"say which with Arrays(path, images=...)"
        )
    return found[0]


def _labels_key(arrays: Mapping[str, Array], images: str) -> str | None:
    """Return the key of the labels of these images, if any: never those of another part, as y_train for x_test."""
    partner = f"y{images[1:]}" if images.startswith("x") else "labels"
    return next((key for key in (partner, "labels", "y") if key in arrays), None)


def _listing(arrays: Mapping[str, Array]) -> str:
    return ", ".join(f"{key} {array.dtype} {array.shape}" for key, array in arrays.items()) or "nothing"


def _dataset(
    name: str, x: Array, labels: Array | None = None, classes: Array | None = None, layout: str | None = None
) -> Dataset:
    """Open an array as images or points, with its labels, whatever form both have."""
    if x.dtype.kind not in "buif":
        raise ValueError(f"{name} should hold numbers, but holds {x.dtype}")
    if x.ndim == 0 or x.size == 0:
        raise ValueError(f"{name} should hold samples (N, ...), at least one, but has shape {x.shape}")
    names = None if classes is None else tuple(str(one) for one in classes)
    number, names = (None, ()) if labels is None else numbered(name, labels, len(x), names)
    if x.ndim <= 2:
        return in_memory(name, _points(name, x), number, names)
    return _images(name, x, number, names, layout)


def _points(name: str, x: Array) -> Tensor:
    if x.dtype.kind != "f":
        raise ValueError(
            f"{name} is {x.dtype} of shape {x.shape}, but points (N, d) are floats: "
            f"convert it, or reshape it to images (N, H, W) or (N, H, W, C)"
        )
    with np.errstate(over="ignore"):
        points = np.array(x, np.float32).reshape(len(x), -1)
    extremes(name, points)
    return torch.from_numpy(points)


def _images(name: str, x: Array, labels: Tensor | None, classes: tuple[str, ...], layout: str | None) -> Dataset:
    axis = channel_axis(name, x.shape, layout)
    low, high = extremes(name, x)
    pixels = to_uint8(scale_of(name, low, high, whole=x.dtype.kind in "ui"), x)
    notes: tuple[str, ...] = ()
    if x.dtype.kind in "ui" and high <= 1:
        notes = ("no pixel is above 1 of 255, so all is nearly black: multiply by 255 if 1 means white",)

    def read(index: Tensor) -> Tensor:
        batch = torch.from_numpy(pixels[index.numpy()])
        batch = batch.unsqueeze(1) if axis is None else batch.movedim(axis, 1)
        return batch.contiguous()

    sample = read(torch.tensor([0]))
    return Dataset(name, tuple(sample.shape[1:]), len(x), read, labels, classes, notes)
