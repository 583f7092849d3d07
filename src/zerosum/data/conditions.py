"""The conditions of a data set: their kind, and a value for each sample."""

__all__ = ["Conditions"]

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from zerosum.conditions.arrays import numbers
from zerosum.conditions.components import Attributes, Vector
from zerosum.conditions.condition import Condition, shortened
from zerosum.conditions.labels import Labels
from zerosum.conditions.schema import ConditionSchema
from zerosum.data.content import content_of

MOST_COMPONENTS = 1 << 14  # of a condition: each has a name, and is an input of the networks


class Values(Protocol):
    """Values of conditions that are read or computed when needed, as images are."""

    def __len__(self) -> int:
        """Number of samples."""
        ...

    @property
    def derived(self) -> bool:
        """Whether `of` computes them from x, so that others give the conditions of other samples."""
        ...

    def of(self, indices: Tensor, x: Tensor | None) -> Tensor:
        """The values of the samples at indices `(B,)`; x is what the data set read there, None if it was not read."""
        ...

    def content(self, without: Collection[str] = ()) -> str:
        """A text that changes with the values, given the samples; of the files `without`, only the names count."""
        ...


@dataclass(frozen=True, eq=False)
class Conditions:
    """A condition for each sample.

    Attributes:
        kind: what the condition of a sample is.
        values: the condition of each sample in the units of the data, `(count, ...)`; `kind.encode` returns the
            networks' c. Values too large for memory, as images are, are an object that reads them.
    """

    kind: Condition
    values: Tensor | Values

    def of(self, indices: Tensor, x: Tensor | None = None) -> Tensor:
        """The values of the samples at indices `(B,)`; x is what was read there, if it was."""
        return self.values[indices] if isinstance(self.values, Tensor) else self.values.of(indices, x)

    @property
    def derived(self) -> bool:
        """Whether they are computed from the samples."""
        return not isinstance(self.values, Tensor) and self.values.derived

    @property
    def table(self) -> Tensor:
        """All values: labels, or rows of numbers."""
        if not isinstance(self.values, Tensor):
            return self.of(torch.arange(len(self.values)))
        return self.values

    def content(self, without: Collection[str] = ()) -> str:
        """A text that changes with the values; of the files `without`, only the names count."""
        return content_of(self.values) if isinstance(self.values, Tensor) else self.values.content(without)

    @property
    def notes(self) -> tuple[str, ...]:
        """Warnings about components that are constant over the data."""
        if not self.kind.components:
            return ()
        constant = self.table.amin(0) == self.table.amax(0)
        names = [name for name, same in zip(self.kind.components, constant.tolist(), strict=True) if same]
        if not names:
            return ()
        return (f"components that are constant over all samples and carry no information: {shortened(names)}",)

    def check(self, name: str, count: int) -> None:
        """Raise `ValueError` unless there is one valid condition for each of `count` samples."""
        if self.kind.classes:
            _check_labels(name, self.table, self.kind.classes, count)
        elif len(self.values) != count:
            raise ValueError(
                f"{name} has {count:,} samples, but {len(self.values):,} conditions: pass one for each sample"
            )
        c = self.kind.encode(self.of(torch.zeros(1, dtype=torch.int64)))
        if tuple(c.shape) != (1, *self.kind.shape) or c.dtype != self.kind.dtype:
            raise ValueError(
                f"the encoded conditions of {name} should each be {self.kind.dtype} of shape {self.kind.shape}, as "
                f"{type(self.kind).__name__} declares, but are {c.dtype} of shape {tuple(c.shape[1:])}"
            )


def labelled(name: str, labels: Tensor | None, classes: tuple[str, ...]) -> Conditions | None:
    """The conditions of samples with labels, int64 `(count,)` in 0..len(classes) - 1; None without labels.

    Raises `ValueError` for classes without labels, and for labels without classes.
    """
    if labels is None:
        if classes:
            raise ValueError(f"{name} names {len(classes)} classes but has no labels")
        return None
    if not classes:
        raise ValueError(f"{name} has labels but no class names: pass classes, one name for each class")
    return Conditions(Labels(len(classes), classes=classes), labels)


def conditions_of(name: str, rows: ArrayLike | Tensor, names: Sequence[str] | None = None) -> Conditions:
    """Conditions from an array of numbers, one row per sample: binary attributes if all are 0 or 1, else continuous.

    Args:
        name: name of the data, for error messages.
        rows: `(count, components)`, or `(count,)` for one component.
        names: the name of each component; by default its index, 0, 1, ...

    Raises:
        ValueError: for rows that are not finite numbers, and for names that are not unique or not one per component.
    """
    table = numbers(f"the conditions of {name}", rows)
    table = table[:, None] if table.ndim == 1 else table
    if table.ndim != 2 or not table.size:
        raise ValueError(f"the conditions of {name} should be rows (N, components) of numbers, but are {table.shape}")
    if table.shape[1] > MOST_COMPONENTS:
        raise ValueError(
            f"the conditions of {name} have {table.shape[1]:,} components, more than {MOST_COMPONENTS:,}: choose some"
        )
    named = tuple(map(str, range(table.shape[1]) if names is None else names))
    if len(named) != table.shape[1] or len({*named}) != len(named):
        raise ValueError(
            f"the {table.shape[1]} condition components of {name} should have as many unique names, "
            f"but have {shortened(named)}"
        )
    if not np.isfinite(table).all():
        row, component = np.argwhere(~np.isfinite(table))[0]
        raise ValueError(f"the condition {named[component]} of {name} is not a finite number in row {row}")
    binary = bool(((table == 0) | (table == 1)).all())
    kind = (Attributes if binary else Vector)(len(named), ConditionSchema.measured(table, named))
    return Conditions(kind, torch.from_numpy(table))


def _check_labels(name: str, labels: Tensor, classes: tuple[str, ...], count: int) -> None:
    if labels.dtype != torch.int64 or tuple(labels.shape) != (count,):
        raise ValueError(
            f"the labels of {name} should be int64 of shape ({count},), one per sample, "
            f"but are {str(labels.dtype).removeprefix('torch.')} of shape {tuple(labels.shape)}"
        )
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= len(classes):
        raise ValueError(
            f"the labels of {name} should lie in 0..{len(classes) - 1}, indices of its "
            f"{len(classes)} class names, but range from {low} to {high}"
        )
