"""Class labels as the condition."""

__all__ = ["Labels"]

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from zerosum.conditions.condition import Condition, ConditionRow, Overview, Prediction, first_of, shortened

UNKNOWN_LABEL = "none"  # passed by a user for a sample of any class


def as_number(name: str) -> float | None:
    """The number that the name of a class is, as "7", "-1" or "0.5"; None for a word."""
    try:
        number = float(name)
    except ValueError:
        return None
    return number if math.isfinite(number) and "_" not in name else None


@dataclass(frozen=True)
class Labels(Condition):
    """The condition is a class label: int64 `(B,)` in [0, count).

    Args:
        count: number of classes.
        nullable: one more label, `count`, stands for an unknown class. A network trained with label dropout (Ho and
            Salimans 2022, arXiv 2207.12598) can also generate samples of any class.
        classes: names of the classes; by default their indices.
    """

    count: int
    nullable: bool = False
    classes: tuple[str, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError(f"labels need at least one class; found count={self.count}")
        if not self.classes:
            object.__setattr__(self, "classes", tuple(map(str, range(self.count))))
        if len(self.classes) != self.count:
            raise ValueError(f"{self.count} classes have as many names; found {len(self.classes)}")

    @property
    def shape(self) -> tuple[int, ...]:
        """A scalar."""
        return ()

    @property
    def dtype(self) -> torch.dtype:
        """int64."""
        return torch.int64

    @property
    def prediction(self) -> Prediction:
        """A logit for each class; the unknown class is not predicted."""
        return Prediction(self.count, "labels")

    def embed(self, size: int, scale: float = 1.0, mean: float = 0.0) -> nn.Module:
        """A vector for each label."""
        embedding = nn.Embedding(self.count + self.nullable, size)
        nn.init.normal_(embedding.weight, mean, scale)
        return embedding

    def with_unknown(self) -> "Labels":
        """Labels with one more for an unknown class."""
        return replace(self, nullable=True)

    def unknown(self, n: int) -> Tensor:
        """The label after the last, n times."""
        return torch.full((n,), self.count)

    def values(self, n: int, wanted: Any = None) -> Tensor:
        """Class indices `(n,)`: all in turn, or the given ones (indices or names, one for all or one per sample)."""
        if wanted is None:
            return torch.arange(n) % self.count
        array = wanted.numpy(force=True) if isinstance(wanted, Tensor) else np.asarray(wanted)
        if array.dtype.kind in "OT" and all(isinstance(one, str) for one in array.flat):
            array = array.astype(str)
        if array.shape not in ((), (n,)) or array.dtype.kind not in "iuU":
            raise ValueError(
                f"labels are a class, by its index (0 to {self.count - 1 + self.nullable}) or name, or one for each of "
                f"{n} samples; found {f'shape {array.shape}' if array.shape else repr(wanted)}"
            )
        if array.dtype.kind == "U":
            array = np.vectorize(self.index, otypes=[np.int64])(array)
        labels = torch.from_numpy(np.broadcast_to(array, (n,)).astype(np.int64))
        low, high, highest = int(labels.min()), int(labels.max()), self.count - 1 + self.nullable
        if low < 0 or high > highest:
            wrong = low if low < 0 else high
            hint = (
                f": for the class called {wrong}, pass its name, {str(wrong)!r}" if str(wrong) in self.classes else ""
            )
            raise ValueError(f"labels are class indices from 0 to {highest}; found {wrong}{hint}")
        return labels

    def index(self, name: str) -> int:
        """The index of a class by its name, or by its index unless all names are numbers; `none` for an unknown class.

        A number also finds the class of an equal number, as "1" that of "1.0" or "01". Raises `ValueError` if there is
        no such class.
        """
        if name in self.classes:
            return self.classes.index(name)
        wanted, numbers = as_number(name), [as_number(one) for one in self.classes]
        if wanted is not None and numbers.count(wanted) == 1:
            return numbers.index(wanted)
        numbered = None not in numbers  # "1" of 3, 5, 7 is none, and not 5
        if wanted is not None and not numbered and name.isdecimal() and wanted < self.count:
            return int(name)
        if name == UNKNOWN_LABEL and self.nullable:
            return self.count
        raise ValueError(f"no class {name!r}; there are {shortened(self.classes)}")

    def parse(self, texts: Sequence[str], n: int) -> Any:
        """Classes by name or number, in turn."""
        return [texts[i % len(texts)] for i in range(n)]

    def overview(self, rows: int, columns: int) -> Overview:
        """A row for each class."""
        names = self.classes[:rows]
        words = "Samples of each class. Columns share a latent."
        return Overview(
            "Class by class",
            words + first_of(len(names), self.count, " classes"),
            tuple(
                ConditionRow(name, torch.full((columns,), index), (name,) * columns) for index, name in enumerate(names)
            ),
        )

    @property
    def facts(self) -> dict[str, Any]:
        """The classes' names, and whether a class may be unknown."""
        return {"classes": [*self.classes], "nullable": self.nullable}

    @classmethod
    def restored(cls, facts: Mapping[str, Any], state: Mapping[str, Tensor]) -> "Labels":
        """Labels with these facts; raises `ValueError` if they are invalid."""
        classes, nullable = facts.get("classes"), facts.get("nullable")
        named = isinstance(classes, list) and classes and all(type(name) is str for name in classes)
        if not named or type(nullable) is not bool or len(facts) != 2 or state:
            raise ValueError(f"Labels has the names of its classes and whether one is unknown; found {facts!a:.80}")
        assert isinstance(classes, list)
        return cls(len(classes), nullable, tuple(classes))
