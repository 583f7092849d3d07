"""Conditions that are no classes: for each sample a row of named numbers, all of them yes or no, or of any scale."""

__all__ = ["Columns", "Conditions"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

UNKNOWN = 0.5  # an attribute of which nothing is told
_ROWS, _NUMBERS = 512, 1 << 16  # rows of the data that go with a generator, and numbers in them, at most


@dataclass(frozen=True, eq=False)
class Columns:
    """What the entries of a condition are: with it a generator can be asked for one, without the data.

    Attributes:
        names: the name of each entry.
        attributes: whether every entry is yes or no, 1 or 0; else they are numbers of any scale.
        mean: of each entry over the data.
        deviation: of each entry over the data, 1 where it never changes.
        rows: some rows of the data, at random, float64 `(m, entries)`: what samples have where nothing else is asked.
    """

    names: tuple[str, ...]
    attributes: bool
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    rows: Tensor

    def scaled(self, rows: Tensor) -> Tensor:
        """Rows `(B, entries)` in the data's units as networks take them, float32.

        Attributes stay as they are; numbers get mean 0 and deviation 1 over the data.
        """
        rows = rows.double()
        if not self.attributes:
            mean, deviation = (torch.tensor(part, dtype=torch.float64) for part in (self.mean, self.deviation))
            rows = (rows - mean) / deviation
        return rows.float()

    def asked(self, n: int, wanted: Mapping[str, ArrayLike] | ArrayLike | None = None, unknown: bool = False) -> Tensor:
        """The rows, float64 `(n, entries)` in the data's units, of n samples of which something is wanted.

        Args:
            n: how many.
            wanted: entries by name, a number each or one a sample, where the others are those of `rows`, taken in turn;
                or whole rows `(entries,)` or `(m, entries)`, taken in turn; or None for `rows` themselves.
            unknown: whether an attribute may be 0.5, of which nothing is told.

        Raises:
            ValueError: for a name that is none of the entries', and for numbers that are none or do not fit.
        """
        if wanted is None or isinstance(wanted, Mapping):
            chosen = self.rows[torch.arange(n) % len(self.rows)]
            for name, values in (wanted or {}).items():
                chosen[:, self.index(name)] = _one_each(name, values, n)
        else:
            rows = _numbers("the conditions asked for", wanted)
            if rows.ndim not in (1, 2) or rows.shape[-1] != len(self.names) or not rows.size:
                raise ValueError(
                    f"a condition is a row of {len(self.names)} numbers ({shortened(self.names)}); "
                    f"found shape {rows.shape}"
                )
            given = torch.from_numpy(rows.reshape(-1, len(self.names))).double()
            chosen = given[torch.arange(n) % len(given)]
        self._check(chosen, unknown)
        return chosen

    def index(self, name: str) -> int:
        """The place of an entry; raises `ValueError` where none has the name."""
        if name not in self.names:
            raise ValueError(f"no condition is called {name!r}; there are {shortened(self.names)}")
        return self.names.index(name)

    def facts(self) -> dict[str, Any]:
        """All of it as JSON can carry it."""
        told = {"names": self.names, "attributes": self.attributes, "mean": self.mean, "deviation": self.deviation}
        return {**told, "rows": self.rows.tolist()}

    def _check(self, rows: Tensor, unknown: bool) -> None:
        good = rows.isfinite()
        if self.attributes:
            good = (rows == 0) | (rows == 1) | ((rows == UNKNOWN) if unknown else False)
        if not bool(good.all()):
            row, entry = (~good).nonzero()[0].tolist()
            kind = "yes or no, 1 or 0" if self.attributes else "a finite number"
            raise ValueError(f"{self.names[entry]} is {kind}; found {float(rows[row, entry]):g}")


@dataclass(frozen=True, eq=False)
class Conditions:
    """A condition for each sample: rows `(count, entries)` in the data's units, float, and what the entries are."""

    rows: Tensor
    columns: Columns

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on entries that tell nothing."""
        constant = self.rows.amin(0) == self.rows.amax(0)
        names = [name for name, same in zip(self.columns.names, constant.tolist(), strict=True) if same]
        if not names:
            return ()
        told = f"{shortened(names)} {'is' if len(names) == 1 else 'are'}"
        return (f"{told} the same in every sample, so nothing can be learned of it",)


def conditions_of(name: str, rows: ArrayLike | Tensor, names: Sequence[str] | None = None) -> Conditions:
    """Conditions from rows of numbers, one a sample: attributes where every number is 0 or 1, else numbers.

    Args:
        name: what the data are called.
        rows: `(count, entries)`, or `(count,)` for one entry.
        names: the name of each entry; by default its place, 0, 1, ...

    Raises:
        ValueError: for rows that are not finite numbers, and for names that are not one an entry, each another.
    """
    table = _numbers(f"the conditions of {name}", rows)
    table = table[:, None] if table.ndim == 1 else table
    if table.ndim != 2 or not table.size:
        raise ValueError(f"the conditions of {name} should be rows (N, entries) of numbers, but are {table.shape}")
    named = tuple(map(str, range(table.shape[1]) if names is None else names))
    if len(named) != table.shape[1] or len({*named}) != len(named):
        raise ValueError(
            f"the {table.shape[1]} conditions of {name} should have as many names, each another, "
            f"but have {shortened(named)}"
        )
    if not np.isfinite(table).all():
        row, entry = np.argwhere(~np.isfinite(table))[0]
        raise ValueError(f"the condition {named[entry]} of {name} is not a finite number in row {row}")
    columns = _measured(table, named)
    return Conditions(torch.from_numpy(table), columns)


def columns_of(facts: Mapping[str, Any]) -> Columns:
    """The columns of which `Columns.facts` were told."""
    rows = torch.tensor(facts["rows"], dtype=torch.float64)
    return Columns(tuple(facts["names"]), facts["attributes"], tuple(facts["mean"]), tuple(facts["deviation"]), rows)


def shortened(names: Sequence[str]) -> str:
    """Names as one text, of many the first twenty."""
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return ", ".join(names[:20]) + more


def _measured(table: NDArray[Any], names: tuple[str, ...]) -> Columns:
    """Tell what entries are, from all rows of the data."""
    mean, deviation = [], []
    for values in table.T:
        # So that squares neither overflow nor vanish, and what never changes deviates by just 0.
        largest = np.abs(values).max() or 1.0
        parts = values.astype(np.float64) / largest
        mean.append(float(parts.mean() * largest))
        deviation.append(float(parts.std() * largest) or 1.0)
    entries = table.shape[1]
    kept = torch.randperm(len(table), generator=torch.Generator().manual_seed(0))
    kept = kept[: max(1, min(_ROWS, _NUMBERS // entries))]
    attributes = bool(((table == 0) | (table == 1)).all())
    return Columns(names, attributes, tuple(mean), tuple(deviation), torch.from_numpy(table)[kept].double())


def _one_each(name: str, values: ArrayLike, n: int) -> Tensor:
    numbers = _numbers(f"the values of {name}", values)
    if numbers.shape not in ((), (n,)):
        raise ValueError(f"{name} should be one number, or one for each of {n} samples; found shape {numbers.shape}")
    return torch.from_numpy(numbers).double()


def _numbers(name: str, rows: ArrayLike | Tensor) -> NDArray[Any]:
    """Rows as float64, or as float32 where they were so."""
    array = rows.numpy(force=True) if isinstance(rows, Tensor) else np.asarray(rows)
    if array.dtype.kind not in "buif":
        raise ValueError(f"{name} should be numbers, but are {array.dtype}")
    return np.array(array, np.float32 if array.dtype == np.float32 else np.float64)
