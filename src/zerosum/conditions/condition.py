"""A kind of condition: all that data, networks, terms, files, commands and reports ask about c."""

__all__ = ["Condition", "ConditionRow", "Overview", "Prediction"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol, Self

import torch
from torch import Tensor, nn

Reading = Literal["labels", "attributes", "numbers"]


class Prediction(NamedTuple):
    """How an auxiliary head of D predicts a condition: the number of logits, and what they are.

    `labels` are read by a softmax over all logits, `attributes` by a sigmoid of each, and `numbers` are the predicted
    components themselves (`AuxiliaryClass` has the losses).
    """

    logits: int
    reading: Reading


@dataclass(frozen=True, eq=False)
class ConditionRow:
    """A row of samples in a report.

    Attributes:
        name: what the row shows, such as a class.
        values: the condition of each sample in the units of the data, `(n, ...)`.
        captions: the condition of each sample in words.
        note: further words on the row; empty for none.
        one_latent: whether all samples have the same latent; else sample i has latent i, in every row.
    """

    name: str
    values: Tensor
    captions: tuple[str, ...]
    note: str = ""
    one_latent: bool = False


@dataclass(frozen=True, eq=False)
class Overview:
    """A report's section on a condition: a title, a sentence or two on what is shown, and rows of samples."""

    title: str
    text: str
    rows: tuple[ConditionRow, ...]


class Condition(Protocol):
    """What the condition c of a sample is.

    A condition has two forms. *Values* are those of the data, in its own units: what a data set holds for each sample,
    and what one asks for. *c* is what networks take, `(B, *shape)`; `encode` makes it of values.

    A kind of condition is a class in one file. Subclass this protocol: `shape`, `embed`, `values`, `facts` and
    `restored` are its own; the rest has a default. Where it holds tensors, `state_dict` returns them.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the c of one sample, `()` for a number."""
        ...

    @property
    def dtype(self) -> torch.dtype:
        """Element type of c."""
        return torch.float32

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, where values are class indices, int64 `(N,)`; else empty."""
        return ()

    @property
    def components(self) -> tuple[str, ...]:
        """Name of each component, where values are rows of numbers `(N, components)`, a table; else empty."""
        return ()

    @property
    def prediction(self) -> Prediction | None:
        """How an auxiliary head predicts c; None where it cannot."""
        return None

    def embed(self, size: int, scale: float = 1.0, mean: float = 0.0) -> nn.Module:
        """A module that embeds c, `(B, *shape)` to `(B, size)`.

        Its output begins with about the given mean and standard deviation (`scale`); exactly so for a scale of 0.
        """
        ...

    def encode(self, values: Tensor) -> Tensor:
        """Values `(B, ...)` as networks take them, c `(B, *shape)`; by default the values as `dtype`."""
        return values.to(self.dtype)

    def with_unknown(self) -> "Condition":
        """The same kind, whose conditions may also be unknown, as label dropout makes them.

        Raises `ValueError` where no c could stand for that.
        """
        raise ValueError(
            f"label_dropout hides conditions, and no c of {type(self).__name__} stands for an unknown one: "
            f"set label_dropout=0.0"
        )

    def unknown(self, n: int) -> Tensor:
        """The c of n samples whose condition is unknown, `(n, *shape)`; for kinds that `with_unknown` returned."""
        raise ValueError(f"no c of {type(self).__name__} stands for an unknown condition")

    def values(self, n: int, wanted: Any = None) -> Tensor:
        """The values of n samples, for what a user wants of them; by default such as the data have, or all in turn.

        Value i is the same for every n. Raises `ValueError` for what this condition cannot be.
        """
        ...

    def parse(self, texts: Sequence[str], n: int) -> Any:
        """What `values` takes for n samples, from the texts that `--condition` was given; by default a .npy file."""
        from zerosum.conditions.arrays import array_file

        return array_file(self, texts)

    def overview(self, rows: int, columns: int) -> Overview:
        """What a report shows of it, in so many rows at most; by default one, of values that nobody asked for."""
        row = ConditionRow("", self.values(columns), ("a condition of the data",) * columns)
        return Overview("By condition", "Samples under conditions of the data.", (row,))

    @property
    def facts(self) -> Mapping[str, Any]:
        """What is stored of it beside tensors, such as JSON can hold."""
        ...

    def state_dict(self) -> dict[str, Tensor]:
        """Its tensors, which are stored too."""
        return {}

    @classmethod
    def restored(cls, facts: Mapping[str, Any], state: Mapping[str, Tensor]) -> Self:
        """The condition with such facts and tensors, read from a file that anybody may have written.

        Raises `ValueError`, with what was expected, where they are no condition of this kind.
        """
        ...


def shortened(names: Sequence[str]) -> str:
    """Names as one text, of many the first twenty."""
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return ", ".join(names[:20]) + more


def first_of(shown: int, count: int, what: str = "") -> str:
    """A sentence that says where not all are shown; empty where they are."""
    return f" These are the first {shown} of {count:,}{what}." if shown < count else ""
