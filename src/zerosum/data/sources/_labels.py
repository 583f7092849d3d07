"""Labels of any form as the numbers of classes with names."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zerosum.data._paths import printable

_SPLITS = {"train", "training", "val", "valid", "validation", "test", "testing"}


def numbered(
    name: str, labels: NDArray[Any], count: int, classes: tuple[str, ...] | None = None
) -> tuple[Tensor, tuple[str, ...]]:
    """Return labels as int64 (count,) with the names of their classes.

    With `classes`, the labels are indices into them. Without, each distinct label is a class, in sorted order,
    named by its value. Raises `ValueError` when there is not one integer or string for each sample.
    """
    labels = np.asarray(labels)
    if labels.shape not in ((count,), (count, 1)):
        raise ValueError(f"{name} has {count} samples, but labels of shape {labels.shape}: give one for each sample")
    labels = labels.reshape(count)
    if labels.dtype.kind == "f" and np.array_equal(labels, np.rint(labels)):
        labels = labels.astype(np.int64)
    if labels.dtype.kind not in "buiU":
        raise ValueError(
            f"the labels of {name} should be integers or strings, but are {labels.dtype}: "
            f"numbers that are no classes are given as conditions"
        )
    if classes is None:
        values, index = np.unique(labels, return_inverse=True)
        return torch.from_numpy(index.astype(np.int64)), tuple(str(value) for value in values)
    if labels.dtype.kind == "U":
        raise ValueError(f"the labels of {name} are names already: leave the names of the classes out")
    return torch.from_numpy(labels.astype(np.int64)), classes


def by_folder(names: Sequence[str]) -> tuple[Tensor | None, tuple[str, ...], tuple[str, ...]]:
    """Return labels (N,), classes and notes for files "class/.../file": each folder at the top is a class.

    Folders that hold all others are passed over. Where some files lie outside the folders, or there is but one,
    nothing is labelled.
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
            (f"nothing is labelled, since {outside} of {len(paths)} images lie outside the folders",),
        )
    number, classes = numbered("the folder", np.array([path[0] for path in paths]), len(paths))
    classes = tuple(map(printable, classes))
    notes: tuple[str, ...] = ()
    if set(classes) <= _SPLITS:
        notes = (f"the classes {', '.join(classes)} look like parts of a data set: to use one, give its folder",)
    return number, classes, notes
