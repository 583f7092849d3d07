"""NumPy arrays as data, in memory or in `.npy` and `.npz` files."""

__all__ = ["ArraySource", "Arrays"]

import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zerosum._foreign import check_unpacked
from zerosum._paths import PATH, tidy_paths
from zerosum.data._paths import existing
from zerosum.data.conditions import Conditions, conditions_of, labelled
from zerosum.data.content import content_of
from zerosum.data.dataset import Dataset, in_memory
from zerosum.data.sources._labels import numbered
from zerosum.data.sources._mirror import mirrored
from zerosum.data.sources._pixels import channel_axis, extremes, scale_of, to_uint8

Array = NDArray[Any]
_SAMPLES = ("images", "x", "x_train", "data", "points")
_LABELS = ("labels", "y", "y_train")
_CLASSES = ("class_names", "classes")
_CONDITIONS = ("conditions", "condition_names")
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
_IN_MEMORY = 1 << 30  # bytes of a .npy file above which it is memory-mapped


@dataclass(frozen=True)
class Arrays:
    """Images or points in a `.npy` file, or in a `.npz` with labels or conditions; pickled objects are never loaded.

    Images are (N, H, W, C), (N, C, H, W) or grey (N, H, W), of integers in 0..255 or floats in 0..1 or -1..1; points
    are floats (N, d) or (N,). Labels are integers or strings (N,). If a `.npz` has class_names, labels are indices into
    them; else each distinct label is a class. Instead of labels there may be conditions, numbers (N, components), with
    their names in condition_names: binary attributes if all are 0 or 1.

    Args:
        path: the file.
        images: key of the samples in a `.npz`; by default images, x, x_train, data, points or the only array.
        labels: key of the labels; by default labels, y or, with x_train, y_train, if present.
        layout: "NHWC" or "NCHW", for images whose shape is ambiguous.
        conditions: key of the conditions; by default conditions, if present. If a file has both labels and conditions,
            name one.
        flip: whether each image's mirror image is a sample too, which doubles their number.
    """

    path: str = field(metadata=PATH)
    images: str | None = None
    labels: str | None = None
    layout: str | None = None
    conditions: str | None = None
    flip: bool = False

    def __post_init__(self) -> None:
        tidy_paths(self)

    def open(self) -> Dataset:
        """Open the file; raises `ValueError` when it is damaged or has other content."""
        return mirrored(self._plain()) if self.flip else self._plain()

    def _plain(self) -> Dataset:
        path = existing(self.path)
        arrays = _load(path)
        if isinstance(arrays, np.ndarray):
            if self.images or self.labels or self.conditions:
                raise ValueError(f"{path.name} has one unnamed array: omit images=, labels= and conditions=")
            return dataset_of(path.name, arrays, layout=self.layout)
        images = _asked(path.name, arrays, self.images) or _samples_key(path.name, arrays)
        labels, conditions = self._beside(path.name, arrays, images)
        if labels is not None:
            classes = next((arrays[key] for key in _CLASSES if key in arrays), None)
            return dataset_of(path.name, arrays[images], arrays[labels], classes, self.layout)
        table = None if conditions is None else _table(path.name, arrays[conditions], arrays.get("condition_names"))
        return dataset_of(path.name, arrays[images], layout=self.layout, conditions=table)

    def _beside(self, name: str, arrays: Mapping[str, Array], images: str) -> tuple[str | None, str | None]:
        """The keys of labels and of conditions; at least one is None."""
        labels, conditions = (_asked(name, arrays, key) for key in (self.labels, self.conditions))
        if labels is not None and conditions is not None:
            raise ValueError(
                f"{name} was given keys for both labels and conditions, but a game uses one of them: name only one"
            )
        if labels is None and conditions is None:
            labels = _labels_key(arrays, images)
            conditions = "conditions" if "conditions" in arrays else None
        if labels is not None and conditions is not None:
            raise ValueError(
                f"{name} has both labels, under {labels!r}, and conditions: choose one with "
                f"Arrays(path, labels={labels!r}) or Arrays(path, conditions='conditions')"
            )
        return labels, conditions


@dataclass(frozen=True, eq=False)
class ArraySource:
    """Images or points in a NumPy array, as in `Arrays` but without a file. For use from Python only."""

    samples: Array
    labels: Array | None = None
    layout: str | None = None
    conditions: Array | None = None
    condition_names: Sequence[str] | None = None

    def open(self) -> Dataset:
        """Open the array; raises `ValueError` when it is neither images nor points."""
        table = None if self.conditions is None else _table("array", self.conditions, self.condition_names)
        return dataset_of("array", self.samples, self.labels, layout=self.layout, conditions=table)


def _load(path: Path) -> Array | dict[str, Array]:
    """Read a file of arrays: one, or several by their keys."""
    check_unpacked(path)
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
                f"{path} contains pickled Python objects, which are not loaded as they can run code: "
                f"save arrays of numbers"
            ) from error
        raise ValueError(f"{path} is damaged or not a {path.suffix} file: {error}") from error


def _asked(name: str, arrays: Mapping[str, Array], key: str | None) -> str | None:
    """Return a key given by the user, after checking that it exists."""
    if key is not None and key not in arrays:
        raise ValueError(f"{name} has no {key!r}, but has {_listing(arrays)}")
    return key


def _samples_key(name: str, arrays: Mapping[str, Array]) -> str:
    """Return the key of the samples: the first of the usual ones, or the only other array."""
    others = [key for key in arrays if key not in (*_LABELS, *_CLASSES, *_CONDITIONS)]
    found = [key for key in _SAMPLES if key in arrays] or (others if len(others) == 1 else [])
    if not found:
        raise ValueError(
            f"{name} should have its samples under one of {', '.join(_SAMPLES)}, but has {_listing(arrays)}: "
            f"name the key with Arrays(path, images=...)"
        )
    return found[0]


def _labels_key(arrays: Mapping[str, Array], images: str) -> str | None:
    """Return the key of the labels of these images, if any; never those of another split, such as y_train for
    x_test."""
    partner = f"y{images[1:]}" if images.startswith("x") else "labels"
    return next((key for key in (partner, "labels", "y") if key in arrays), None)


def _listing(arrays: Mapping[str, Array]) -> str:
    return ", ".join(f"{key} {array.dtype} {array.shape}" for key, array in arrays.items()) or "nothing"


def _table(name: str, rows: Array, names: Sequence[str] | Array | None) -> Conditions:
    return conditions_of(name, rows, None if names is None else [str(one) for one in names])


def dataset_of(
    name: str,
    x: Array,
    labels: Array | None = None,
    classes: Array | None = None,
    layout: str | None = None,
    conditions: Conditions | None = None,
) -> Dataset:
    """Open an array as images or points, with labels or conditions."""
    if x.dtype.kind not in "buif":
        raise ValueError(f"{name} should have a numeric dtype, but is {x.dtype}")
    if x.ndim == 0 or x.size == 0:
        raise ValueError(f"{name} should have at least one sample (N, ...), but has shape {x.shape}")
    names = None if classes is None else tuple(str(one) for one in classes)
    if labels is not None and conditions is None:
        conditions = labelled(name, *numbered(name, labels, len(x), names))
    elif labels is not None:
        raise ValueError(f"{name} has both labels and conditions, but a game uses one of them: pass only one")
    plain = in_memory(name, _points(name, x)) if x.ndim <= 2 else _images(name, x, layout)
    notes = plain.notes + (() if conditions is None else conditions.notes)
    return replace(plain, conditions=conditions, notes=notes)


def _points(name: str, x: Array) -> Tensor:
    if x.dtype.kind != "f":
        raise ValueError(
            f"{name} is {x.dtype} of shape {x.shape}, but points (N, d) should be floats: "
            f"convert it, or reshape it to images (N, H, W) or (N, H, W, C)"
        )
    extremes(name, x)
    points = np.array(x, np.float32 if x.dtype.itemsize <= 4 else np.float64).reshape(len(x), -1)
    return torch.from_numpy(points)


def _images(name: str, x: Array, layout: str | None) -> Dataset:
    axis = channel_axis(name, x.shape, layout)
    low, high = extremes(name, x)
    pixels = to_uint8(scale_of(name, low, high, whole=x.dtype.kind in "ui"), x)
    notes: tuple[str, ...] = ()
    if x.dtype.kind in "ui" and high <= 1:
        notes = ("no pixel is above 1 of 255, so all images are nearly black: multiply by 255 if 1 is white",)

    def read(index: Tensor) -> Tensor:
        batch = torch.from_numpy(pixels[index.numpy()])
        batch = batch.unsqueeze(1) if axis is None else batch.movedim(axis, 1)
        return batch.contiguous()

    sample = read(torch.tensor([0]))
    shape = tuple(sample.shape[1:])
    on_disk = isinstance(pixels, np.memmap)
    return Dataset(name, shape, len(x), read, notes=notes, content=partial(content_of, pixels), ahead=on_disk)
