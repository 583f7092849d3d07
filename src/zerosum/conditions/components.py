"""Vectors as the condition: binary attributes and continuous components."""

__all__ = ["Attributes", "Vector"]

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor, nn

from zerosum.conditions.arrays import array_file, is_array_file
from zerosum.conditions.condition import Condition, ConditionRow, Overview, Prediction, first_of
from zerosum.conditions.schema import ConditionSchema

UNKNOWN = 0.5  # an attribute that is not known
_ENDS = (0.05, 0.95)  # quantiles of the data between which a report sweeps a component


class RowEmbedding(nn.Module):
    """Embed rows `(B, components)` by an affine map; binary attributes enter as -1 and 1.

    Args:
        components: dimensions of a row.
        size: dimensions of the embedding.
        scale: initial standard deviation of the embedding.
        mean: initial mean of the embedding.
        signed: whether 0 and 1 enter as -1 and 1.
    """

    def __init__(self, components: int, size: int, scale: float, mean: float, signed: bool) -> None:
        super().__init__()
        self.components, self.signed = components, signed
        self.linear = nn.Linear(components, size)
        nn.init.normal_(self.linear.weight, std=scale / math.sqrt(components))
        nn.init.constant_(self.linear.bias, mean)

    def forward(self, c: Tensor) -> Tensor:
        """`(B, size)`."""
        if c.shape[1:] != (self.components,):
            raise ValueError(f"conditions here are rows of {self.components} components; found shape {tuple(c.shape)}")
        wide = c.to(next(self.linear.parameters()).dtype)  # a weight under spectral norm is a function
        rows: Tensor = self.linear(2 * wide - 1 if self.signed else wide)
        return rows


@dataclass(frozen=True)
class _Components(Condition):
    """Base of both kinds of rows; `schema` has their names, scale and examples once the data are known."""

    size: int
    schema: ConditionSchema | None = field(default=None, repr=False)
    _signed: ClassVar[bool] = False  # whether 0 and 1 enter networks as -1 and 1

    def _check(self, what: str) -> None:
        if self.size < 1:
            raise ValueError(f"{what} has at least 1 component; found {self.size}")
        if self.schema is not None and len(self.schema.names) != self.size:
            raise ValueError(f"{what} has {self.size} components, but its schema {len(self.schema.names)}")

    @property
    def shape(self) -> tuple[int, ...]:
        """`(size,)`."""
        return (self.size,)

    @property
    def components(self) -> tuple[str, ...]:
        """Name of each component; by default its index."""
        return tuple(map(str, range(self.size))) if self.schema is None else self.schema.names

    def embed(self, size: int, scale: float = 1.0, mean: float = 0.0) -> nn.Module:
        """An affine map of the components; binary attributes enter it as -1 and 1."""
        return RowEmbedding(self.size, size, scale, mean, self._signed)

    def _described(self) -> ConditionSchema:
        """The schema; without data, one of standard normal components."""
        return ConditionSchema.normal(self.size) if self.schema is None else self.schema

    def values(self, n: int, wanted: Any = None) -> Tensor:
        """Rows, float64 `(n, size)` in the data's units: see `ConditionSchema.rows`."""
        rows = self._described().rows(n, wanted)
        good = self._possible(rows)
        if not bool(good.all()):
            row, component = (~good).nonzero()[0].tolist()
            raise ValueError(
                f"{self.components[component]} is {self._possible_words()}; found {float(rows[row, component]):g}"
            )
        return rows

    def _possible(self, rows: Tensor) -> Tensor:
        return rows.isfinite()

    def _possible_words(self) -> str:
        return "a finite number"

    def parse(self, texts: Sequence[str], n: int) -> Any:
        """Components by name, NAME=VALUE each, or a .npy file of whole rows."""
        if is_array_file(texts):
            return array_file(self, texts)
        if [*texts] == ["none"]:
            raise ValueError("none is a condition only after training with label_dropout: pass NAME=VALUE")
        found: dict[str, float] = {}
        for text in texts:
            name, equals, value = text.rpartition("=")
            if not equals or name in found:
                raise ValueError(f"--condition takes NAME=VALUE, each name once; found {text!r}")
            try:
                found[name] = float(value)
            except ValueError:
                raise ValueError(f"--condition takes a number; found {text!r}") from None
        return found

    def _overview(self, text: str, displayed: int, rows: Iterable[ConditionRow]) -> Overview:
        """A report's section with rows for the first `displayed` components."""
        return Overview("Condition by condition", text + first_of(displayed, self.size), tuple(rows))

    @property
    def facts(self) -> dict[str, Any]:
        """Size, and names and scale of the schema."""
        return {"size": self.size, **({} if self.schema is None else self.schema.facts)}

    def state_dict(self) -> dict[str, Tensor]:
        """The schema's examples."""
        return {} if self.schema is None else {"examples": self.schema.examples}

    @classmethod
    def restored(cls, facts: Mapping[str, Any], state: Mapping[str, Tensor]) -> Self:
        """The condition with these facts and examples; raises `ValueError` if they are invalid."""
        rest = dict(facts)
        size = rest.pop("size", None)
        if type(size) is not int:
            raise ValueError(f"{cls.__name__} needs an integer size; found {size!a:.80}")
        schema = ConditionSchema.restored(rest, state) if rest or state else None
        return cls(size, schema)


@dataclass(frozen=True)
class Attributes(_Components):
    """The condition is a row of binary attributes: 1 and 0 as float or bool, `(B, size)`; 0.5 where one is unknown.

    Args:
        size: number of attributes.
        schema: their names, and examples from the data.
        nullable: whether attributes may be unknown, 0.5.
    """

    nullable: bool = False
    _signed: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self._check("a row of attributes")

    @property
    def prediction(self) -> Prediction:
        """A logit for each attribute."""
        return Prediction(self.size, "attributes")

    def with_unknown(self) -> "Attributes":
        """Attributes that may also be 0.5."""
        return replace(self, nullable=True)

    def unknown(self, n: int) -> Tensor:
        """0.5 for every attribute."""
        return torch.full((n, self.size), UNKNOWN)

    def _described(self) -> ConditionSchema:
        described = super()._described()
        return replace(described, examples=(described.examples > 0).double()) if self.schema is None else described

    def _possible(self, rows: Tensor) -> Tensor:
        return (rows == 0) | (rows == 1) | ((rows == UNKNOWN) if self.nullable else False)

    def _possible_words(self) -> str:
        return "binary, 1 or 0"

    def parse(self, texts: Sequence[str], n: int) -> Any:
        """Attributes by name, a .npy file of rows, or `none` for unknown ones."""
        return [UNKNOWN] * self.size if self.nullable and [*texts] == ["none"] else super().parse(texts, n)

    def overview(self, rows: int, columns: int) -> Overview:
        """For each attribute a row with 0 and a row with 1, from the same latents."""
        names = self.components[: rows // 2]
        text = "Each attribute set to 0 (no) and to 1 (yes). Columns share a latent; the other attributes are taken "
        text += "from training examples."
        found = (
            ConditionRow(name, self.values(columns, {name: value}), (f"{name} {word}",) * columns, word)
            for name in names
            for word, value in (("no", 0.0), ("yes", 1.0))
        )
        return self._overview(text, len(names), found)

    @property
    def facts(self) -> dict[str, Any]:
        """As above, and whether attributes may be unknown."""
        return {**super().facts, "nullable": self.nullable}

    @classmethod
    def restored(cls, facts: Mapping[str, Any], state: Mapping[str, Tensor]) -> Self:
        """The attributes with these facts; raises `ValueError` if they are invalid."""
        rest = dict(facts)
        nullable = rest.pop("nullable", None)
        if type(nullable) is not bool:
            raise ValueError(f"Attributes needs nullable, true or false; found {nullable!a:.80}")
        return replace(super().restored(rest, state), nullable=nullable)


@dataclass(frozen=True)
class Vector(_Components):
    """The condition is a vector of continuous components of about unit size, float `(B, size)`, e.g. a text embedding.

    Args:
        size: components of the vector.
        schema: their names and scale, and examples from the data; with it, components are standardised (mean 0,
            standard deviation 1 over the data) before they enter networks.
    """

    def __post_init__(self) -> None:
        self._check("a condition vector")

    @property
    def prediction(self) -> Prediction:
        """The components themselves."""
        return Prediction(self.size, "numbers")

    def encode(self, values: Tensor) -> Tensor:
        """Standardised components (mean 0, standard deviation 1 over the data), float32."""
        return values.float() if self.schema is None else self.schema.scaled(values)

    def with_unknown(self) -> "Vector":
        """Not supported: raises `ValueError`."""
        raise ValueError(
            "label_dropout needs labels or attributes, since continuous components have no value for 'unknown' "
            f"({self._described().listed}): set label_dropout=0.0"
        )

    def overview(self, rows: int, columns: int) -> Overview:
        """For each component a row from low to high, with one latent."""
        schema, names = self._described(), self.components[:rows]
        text = "Each component varied from the 5th to the 95th percentile of the data. All samples share one latent; "
        text += "the other components are at their means."
        return self._overview(text, len(names), (self._sweep(schema, i, columns) for i in range(len(names))))

    def _sweep(self, schema: ConditionSchema, index: int, columns: int) -> ConditionRow:
        low, high = np.quantile(schema.examples[:, index].numpy(), _ENDS)
        rows = torch.tensor(schema.mean, dtype=torch.float64).repeat(columns, 1)
        rows[:, index] = torch.linspace(low, high, columns, dtype=torch.float64)
        name = schema.names[index]
        captions = tuple(f"{name} {value:.4g}" for value in rows[:, index].tolist())
        return ConditionRow(name, rows, captions, f"{low:.4g} to {high:.4g}", latent=0)
