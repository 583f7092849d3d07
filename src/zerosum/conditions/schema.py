"""Names, scale and examples of the components of a condition."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from zerosum.conditions.arrays import numbers
from zerosum.conditions.condition import shortened

_ROWS, _NUMBERS = 512, 1 << 16  # examples stored with a generator, and elements of them, at most


@dataclass(frozen=True, eq=False)
class ConditionSchema:
    """Names and scale of a condition's components, so that a generator can be conditioned without the data.

    Attributes:
        names: the name of each component.
        mean: of each component over the data.
        std: standard deviation of each component over the data, 1 where it is constant.
        examples: random rows of the data, float64 `(m, components)`: the default conditions of samples.
    """

    names: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    examples: Tensor

    @staticmethod
    def measured(table: NDArray[Any], names: tuple[str, ...]) -> "ConditionSchema":
        """The schema of all rows of the data, `(N, components)`."""
        mean, std = [], []
        for values in table.T:
            # So that squares neither overflow nor underflow, and a constant has a standard deviation of exactly 0.
            largest = np.abs(values).max() or 1.0
            parts = values.astype(np.float64) / largest
            mean.append(float(parts.mean() * largest))
            std.append(float(parts.std() * largest) or 1.0)
        kept = torch.randperm(len(table), generator=torch.Generator().manual_seed(0))
        kept = kept[: max(1, min(_ROWS, _NUMBERS // table.shape[1]))]
        return ConditionSchema(names, tuple(mean), tuple(std), torch.from_numpy(table)[kept].double())

    @staticmethod
    def normal(size: int) -> "ConditionSchema":
        """The schema of standard normal components, for a condition made without data."""
        random = torch.Generator().manual_seed(0)
        examples = torch.randn(_ROWS, size, generator=random, dtype=torch.float64, device="cpu")
        return ConditionSchema(tuple(map(str, range(size))), (0.0,) * size, (1.0,) * size, examples)

    @property
    def listed(self) -> str:
        """The names as one string."""
        return shortened(self.names)

    def scaled(self, rows: Tensor) -> Tensor:
        """Standardise rows `(B, components)` by the mean and standard deviation of the data, float32."""
        mean, std = (torch.tensor(part, dtype=torch.float64, device=rows.device) for part in (self.mean, self.std))
        return ((rows.double() - mean) / std).float()

    def rows(self, n: int, wanted: Mapping[str, ArrayLike] | ArrayLike | None = None) -> Tensor:
        """The conditions of n samples, float64 rows `(n, components)` in the data's units.

        Args:
            n: number of samples.
            wanted: components by name, one number each or one per sample, with the others taken from `examples` in
                turn; or whole rows `(components,)` or `(m, components)`, in turn; or None for `examples` themselves.

        Raises:
            ValueError: for an unknown component, or numbers of another shape.
        """
        if wanted is None or isinstance(wanted, Mapping):
            chosen = self.examples[torch.arange(n, device=self.examples.device) % len(self.examples)]
            for name, values in (wanted or {}).items():
                chosen[:, self.index(name)] = _one_each(name, values, n)
            return chosen
        given = numbers("the conditions", wanted)
        if given.ndim not in (1, 2) or given.shape[-1] != len(self.names) or not given.size:
            raise ValueError(f"conditions are rows of {len(self.names)} numbers ({self.listed}); found {_found(given)}")
        rows = torch.from_numpy(given.reshape(-1, len(self.names))).double()
        return rows[torch.arange(n) % len(rows)]

    def index(self, name: str) -> int:
        """The index of a component; raises `ValueError` if there is none of that name."""
        if name not in self.names:
            raise ValueError(f"no condition is called {name!r}; there are {self.listed}")
        return self.names.index(name)

    @property
    def facts(self) -> dict[str, Any]:
        """Its JSON-serialisable state, without the examples."""
        return {"names": [*self.names], "mean": [*self.mean], "std": [*self.std]}

    @staticmethod
    def restored(facts: Mapping[str, Any], state: Mapping[str, Tensor]) -> "ConditionSchema":
        """The schema with these facts and `examples`; raises `ValueError` if they are invalid."""
        names, examples = facts.get("names"), state.get("examples")
        named = isinstance(names, list) and names and all(type(name) is str for name in names)
        if not named or len({*facts["names"]}) != len(facts["names"]) or {*facts} != {"names", "mean", "std"}:
            raise ValueError(f"a schema has distinct names, means and standard deviations; found {facts!a:.80}")
        mean, std = (_numbers_of(facts[name], len(facts["names"])) for name in ("mean", "std"))
        if mean is None or std is None or not all(std):
            raise ValueError("a schema has a mean and a standard deviation above 0 for each name, finite numbers")
        fits = examples is not None and examples.dtype == torch.float64 and examples.dim() == 2 and len(examples) > 0
        if not fits or examples is None or examples.shape[1] != len(mean) or not bool(examples.isfinite().all()):
            raise ValueError(f"a schema has examples, float64 rows of {len(mean)} finite numbers")
        return ConditionSchema(tuple(facts["names"]), mean, std, examples)


def _numbers_of(value: Any, count: int) -> tuple[float, ...] | None:
    """`count` finite numbers; None for anything else."""
    good = isinstance(value, Sequence) and all(type(n) in (int, float) and math.isfinite(n) for n in value)
    return tuple(map(float, value)) if good and len(value) == count else None


def _one_each(name: str, values: ArrayLike, n: int) -> Tensor:
    given = numbers(f"the values of {name}", values)
    if given.shape not in ((), (n,)):
        raise ValueError(f"{name} should be one number, or one for each of {n} samples; found {_found(given)}")
    return torch.from_numpy(given).double()


def _found(array: NDArray[Any]) -> str:
    return f"shape {array.shape}"
