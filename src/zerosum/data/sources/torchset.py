"""Map-style datasets of torch and torchvision as sources."""

__all__ = ["from_torch"]

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import ArrayLike
from PIL import Image
from torch import Tensor

from zerosum.data.conditions import conditions_of, labelled
from zerosum.data.dataset import Dataset, Source
from zerosum.data.sources._decode import flatten, is_grey
from zerosum.data.sources._labels import numbered
from zerosum.data.sources._mirror import mirrored
from zerosum.data.sources._pixels import Array, extremes, looks_like_channels, scale_of

_INSPECTED = 256


@runtime_checkable
class MapStyle(Protocol):
    """A map-style dataset as in torch: it has a length and returns an item for each index."""

    def __len__(self) -> int:
        """Return the number of items."""
        ...

    def __getitem__(self, index: int, /) -> Any:
        """Return an item: a sample, or a tuple of a sample and its label."""
        ...


def from_torch(
    dataset: MapStyle,
    labels: Sequence[Any] | None = None,
    conditions: ArrayLike | Tensor | None = None,
    condition_names: Sequence[str] | None = None,
    flip: bool = False,
) -> Source:
    """Make a source of a map-style dataset whose items are samples, or tuples of a sample and its label or condition.

    A label is a number or a string, a condition a row of several numbers, tensor or array.

    A sample is an image or a point (floats (d,)); all have one shape. An image is a tensor (C, H, W) or (H, W), an
    array (H, W, C) or (H, W), of integers in 0..255 or floats in 0..1 or -1..1, or a Pillow image. Items are not
    cached, so that random transforms stay random. If they have labels or conditions, opening reads every item once to
    collect these, unless they are passed as `labels` or as `conditions` (N, components); otherwise it reads up to 256
    evenly spaced items to infer their range. With `flip`, each image also enters mirrored. Such a source works in
    Python only, as recipe text cannot represent it.
    """
    if labels is not None and conditions is not None:
        raise ValueError("from_torch was given both labels and conditions, but a game uses one of them: pass only one")
    return _TorchSource(dataset, labels, conditions, condition_names, flip)


@dataclass(frozen=True, eq=False)
class _TorchSource:
    dataset: MapStyle
    labels: Sequence[Any] | None
    conditions: ArrayLike | Tensor | None
    condition_names: Sequence[str] | None
    flip: bool

    def open(self) -> Dataset:
        """Open the dataset; raises `ValueError` when its items are neither images nor points of one shape."""
        return mirrored(self._plain()) if self.flip else self._plain()

    def _plain(self) -> Dataset:
        name, count = type(self.dataset).__name__, len(self.dataset)
        if count == 0:
            raise ValueError(f"{name} has no items: pass a dataset with at least one")
        first, label = self._item(0)
        every = label is not None and self.labels is None and self.conditions is None
        low, high, found = math.inf, -math.inf, []
        for index in range(0, count, 1 if every else math.ceil(count / _INSPECTED)):
            sample, label = self._item(index, first)
            least, most = extremes(f"item {index} of {name}", sample)
            low, high = min(low, least), max(high, most)
            found.append(label)
        read = self._points(first) if first.ndim == 1 else self._images(first, low, high)
        plain = Dataset(name, first.shape, count, read)
        if self.conditions is not None or (every and any(isinstance(one, np.ndarray) for one in found)):
            rows = _rows(name, found) if self.conditions is None else self.conditions
            table = conditions_of(name, rows, self.condition_names)
            return replace(plain, conditions=table, notes=table.notes)
        if every or self.labels is not None:
            labels, classes = numbered(name, np.array(found if every else self.labels), count)
            return replace(plain, conditions=labelled(name, labels, classes))
        return plain

    def _points(self, first: Array) -> Callable[[Tensor], Tensor]:
        return lambda index: torch.from_numpy(self._stack(index, first))

    def _images(self, first: Array, low: float, high: float) -> Callable[[Tensor], Tensor]:
        """Return a function that reads images by index, given the value range of the inspected items."""
        name = type(self.dataset).__name__
        scale = scale_of(name, low, high, whole=first.dtype.kind in "ui")

        def read(index: Tensor) -> Tensor:
            x = self._stack(index, first)
            least, most = extremes(f"a batch of {name}", x)
            if not scale.covers(least, most):
                raise ValueError(
                    f"images of {name} range from {least:g} to {most:g}, but those inspected when it was opened "
                    f"from {low:g} to {high:g}: scale all of them to one range"
                )
            return torch.from_numpy(scale(x))

        return read

    def _stack(self, index: Tensor, first: Array) -> Array:
        return np.stack([self._item(one, first)[0] for one in index.tolist()])

    def _item(self, index: int, first: Array | None = None) -> tuple[Array, Any]:
        """Read an item: its sample as an array (C, H, W) or (d,), of the shape of the first; and its label or None."""
        name, item = f"item {index} of {type(self.dataset).__name__}", self.dataset[index]
        sample, label = (*item, None)[:2] if isinstance(item, tuple) and item else (item, None)
        array = _array(sample)
        if array is None or array.dtype.kind not in "buif" or array.ndim not in (1, 3):
            raise ValueError(
                f"{name} should be an image (C, H, W), a point (d,) or a tuple of one and its label, "
                f"but is {_described(sample)}"
            )
        if array.ndim == 1 and array.dtype.kind != "f":
            raise ValueError(f"{name} is a point, which should be floats, but is {_described(sample)}")
        if first is not None and (array.shape, array.dtype) != (first.shape, first.dtype):
            raise ValueError(
                f"{name} is {_described(array)}, but the first item is {_described(first)}: make all alike"
            )
        return array, _label(name, label)


def _array(sample: Any) -> Array | None:
    """Return a sample as an array (C, H, W) or (d,), or None when it cannot be one."""
    if isinstance(sample, Image.Image):
        x, last = np.asarray(flatten(sample, is_grey(sample))), True
    elif isinstance(sample, Tensor):
        narrow = sample.is_floating_point() and sample.dtype != torch.float64  # NumPy knows no bfloat16
        x, last = (sample.float() if narrow else sample).numpy(force=True), False
    elif isinstance(sample, np.ndarray | np.generic):
        x, last = np.asarray(sample), True
    else:
        return None
    if x.ndim == 3:
        front, back = looks_like_channels(x.shape[0]), looks_like_channels(x.shape[2])
        return np.moveaxis(x, 2, 0) if (back if front != back else last) else x
    return x[None] if x.ndim in (0, 2) else x


def _label(name: str, label: Any) -> Any:
    """Return a label as a plain number or string, a condition as an array (components,), or None without any."""
    if isinstance(label, Tensor | np.ndarray | np.generic) and math.prod(label.shape) == 1:
        label = label.item()
    if isinstance(label, Tensor | np.ndarray) and label.ndim == 1 and len(label):
        return label.numpy(force=True) if isinstance(label, Tensor) else label
    if label is not None and not isinstance(label, int | float | str):
        raise ValueError(
            f"the label of {name} should be a number or a string, or a row of numbers, but is {_described(label)}"
        )
    return label


def _rows(name: str, found: Sequence[Any]) -> Array:
    """Return the conditions of all items as an array (N, components)."""
    shapes = {np.shape(row) for row in found}
    if len(shapes) > 1:
        raise ValueError(f"the items of {name} have conditions of shapes {sorted(shapes)}: give all one shape")
    return np.stack(found)


def _described(value: Any) -> str:
    if isinstance(value, Tensor | np.ndarray):
        return f"{str(value.dtype).removeprefix('torch.')} of shape {tuple(value.shape)}"
    return f"a {type(value).__name__}"
