"""Convert labels of any type to class indices and class names."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zerosum.conditions.labels import as_number
from zerosum.data._paths import printable

_SPLITS = {"train", "training", "val", "valid", "validation", "test", "testing"}


def numbered(
    name: str, labels: NDArray[Any], count: int, classes: tuple[str, ...] | None = None
) -> tuple[Tensor, tuple[str, ...]]:
    """Return labels as int64 class indices (count,), and the class names.

    With `classes`, the labels are indices into them. Without, each distinct label is a class, named by its value, in
    sorted order: by number if all are numbers, as "2" before "10". Raises `ValueError` unless there is one integer or
    string per sample.
    """
    labels = np.asarray(labels)
    if labels.shape not in ((count,), (count, 1)):
        raise ValueError(f"{name} has {count} samples, but labels of shape {labels.shape}: pass one for each sample")
    labels = labels.reshape(count)
    if labels.dtype.kind == "f" and np.array_equal(labels, np.rint(labels)):
        labels = labels.astype(np.int64)
    if labels.dtype.kind not in "buiU":
        raise ValueError(
            f"the labels of {name} should be integers or strings, but are {labels.dtype}: "
            f"pass numbers that are not classes as conditions"
        )
    if classes is None:
        values, index = np.unique(labels, return_inverse=True)
        numbers = [as_number(str(value)) for value in values]
        if labels.dtype.kind == "U" and None not in numbers:
            order = np.lexsort((values, np.array(numbers, np.float64)))
            values, index = values[order], np.argsort(order)[index]
        return torch.from_numpy(index.astype(np.int64)), tuple(str(value) for value in values)
    if labels.dtype.kind == "U":
        raise ValueError(f"the labels of {name} are names already: omit the class names")
    return torch.from_numpy(labels.astype(np.int64)), classes


def by_folder(names: Sequence[str]) -> tuple[Tensor | None, tuple[str, ...], tuple[str, ...]]:
    """Return labels (N,), classes and notes for files "class/.../file": each top-level folder is a class.

    Folders that contain all files are skipped. If some files are outside the folders, or there is only one, there are
    no labels.
    """
    paths = [name.split("/") for name in names]
    while all(len(path) > 1 for path in paths) and len({path[0] for path in paths}) == 1:
        paths = [path[1:] for path in paths]
    outside = sum(len(path) == 1 for path in paths)
    if outside == len(paths):
        return None, (), ()
    if outside:
        return (
            None,
            (),
            (f"no labels, as {outside} of {len(paths)} images are outside the class folders",),
        )
    number, classes = numbered("the folder", np.array([path[0] for path in paths]), len(paths))
    classes = tuple(map(printable, classes))
    notes: tuple[str, ...] = ()
    if set(classes) <= _SPLITS:
        notes = (f"the classes {', '.join(classes)} look like splits of a data set: to use one, pass its folder",)
    return number, classes, notes
