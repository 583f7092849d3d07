"""The protocol of a condition c, used by data, networks, terms, files, the command line and reports."""

__all__ = ["Condition", "ConditionRow", "Overview", "Prediction"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol, Self

import torch
from torch import Tensor, nn

Reading = Literal["labels", "attributes", "numbers"]


class Prediction(NamedTuple):
    """How an auxiliary head of D predicts a condition: the number of logits, and what they are.

    `labels` are predicted by a softmax over all logits, `attributes` by a sigmoid of each, and `numbers` are the
    predicted components themselves (`AuxiliaryClass` has the losses).
    """

    logits: int
    reading: Reading


REAL = "real"  # title of the row of real samples, with which others are compared


@dataclass(frozen=True, eq=False)
class ConditionRow:
    """A row of samples in a report.

    Attributes:
        name: title of the row, such as a class.
        values: the condition of each sample in the units of the data, `(n, ...)`.
        captions: the condition of each sample as text.
        note: further text on the row, possibly empty.
        latent: the latent of all samples, by its index; None if sample i has latent i.
        shown: images displayed in place of samples, uint8 `(n, C, H, W)`, such as the conditions themselves.
    """

    name: str
    values: Tensor
    captions: tuple[str, ...]
    note: str = ""
    latent: int | None = None
    shown: Tensor | None = None


@dataclass(frozen=True, eq=False)
class Overview:
    """A report's section on a condition: a title, a sentence or two of description, and rows of samples."""

    title: str
    text: str
    rows: tuple[ConditionRow, ...]


class Condition(Protocol):
    """The condition c of a sample.

    A condition has two forms. *Values* are in the units of the data: what a data set stores for each sample, and what a
    user passes. *c* is the input of networks, `(B, *shape)`; `encode` computes it from values.

    A kind of condition is a class in one file. Subclass this protocol: `shape`, `embed`, `values`, `facts` and
    `restored` are required; the rest has a default. If it holds tensors, `state_dict` returns them.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the c of one sample, `()` for a scalar."""
        ...

    @property
    def dtype(self) -> torch.dtype:
        """Data type of c."""
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
        """How an auxiliary head predicts c; None if c cannot be predicted."""
        return None

    def embed(self, size: int, scale: float = 1.0, mean: float = 0.0) -> nn.Module:
        """A module that embeds c, `(B, *shape)` to `(B, size)`.

        Its output has initially about the given mean and standard deviation (`scale`), exactly so for a scale of 0.
        """
        ...

    def encode(self, values: Tensor) -> Tensor:
        """Encode values `(B, ...)` as the network input c `(B, *shape)`; by default the values cast to `dtype`."""
        return values.to(self.dtype)

    def with_unknown(self) -> "Condition":
        """The same kind of condition with a value for "unknown", as label dropout needs it.

        Raises `ValueError` if there is none.
        """
        raise ValueError(
            f"label_dropout needs a condition with a value for 'unknown', which {type(self).__name__} does not have: "
            f"set label_dropout=0.0"
        )

    def unknown(self, n: int) -> Tensor:
        """The c of n samples whose condition is unknown, `(n, *shape)`; for kinds that `with_unknown` returned."""
        raise ValueError(f"{type(self).__name__} has no value for an unknown condition")

    def values(self, n: int, wanted: Any = None) -> Tensor:
        """The values of n samples as the user specified them; by default values of the data, or all classes in turn.

        Value i is the same for every n. Raises `ValueError` for invalid values.
        """
        ...

    def parse(self, texts: Sequence[str], n: int) -> Any:
        """Parse the values of `--condition` into the argument of `values` for n samples; by default a .npy file."""
        from zerosum.conditions.arrays import array_file

        return array_file(self, texts)

    def overview(self, rows: int, columns: int) -> Overview:
        """A report's section on it, with at most `rows` rows; by default one row, of default values."""
        row = ConditionRow("", self.values(columns), ("a condition of the data",) * columns)
        return Overview("By condition", "Samples under conditions of the data.", (row,))

    @property
    def facts(self) -> Mapping[str, Any]:
        """Its JSON-serialisable state, without tensors."""
        ...

    def state_dict(self) -> dict[str, Tensor]:
        """Its tensors."""
        return {}

    @classmethod
    def restored(cls, facts: Mapping[str, Any], state: Mapping[str, Tensor]) -> Self:
        """The condition with these facts and tensors, from an untrusted file.

        Raises `ValueError`, with what was expected, if they are invalid.
        """
        ...


def shortened(names: Sequence[str]) -> str:
    """Names as one string, at most the first twenty."""
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return ", ".join(names[:20]) + more


def first_of(displayed: int, count: int, what: str = "") -> str:
    """A sentence that states how many of them are displayed; empty if all are."""
    return f" These are the first {displayed} of {count:,}{what}." if displayed < count else ""
