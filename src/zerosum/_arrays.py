"""Array arguments: tensors, and values that can be converted to one; indices."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor


class SupportsArray(Protocol):
    """A numpy array, or an object that can be converted to one."""

    def __array__(self) -> Any:
        """The values as a numpy array."""
        ...


Array = Tensor | SupportsArray | Sequence[Any]


def tensor(values: Array) -> Tensor:
    """Convert values to a tensor: a tensor unchanged, an array without a copy where possible, a list in float64.

    Raises `ValueError` for values that are not a rectangular array of numbers.
    """
    if isinstance(values, Tensor):
        return values
    try:
        if isinstance(values, Sequence):
            made = torch.tensor(values)
            return torch.tensor(values, dtype=torch.float64) if made.is_floating_point() else made
        array = values.__array__()
        # torch accepts neither negative strides nor read-only arrays.
        plain = array.flags.writeable and all(step >= 0 for step in array.strides)
        return torch.as_tensor(array if plain else array.copy())
    except (TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise ValueError(
            f"expected a tensor, a numpy array or a list of numbers; found {type(values).__name__} ({error})"
        ) from error


def tensors(*values: Array) -> tuple[Tensor, ...]:
    """Convert several values to tensors."""
    return tuple(map(tensor, values))


def described(tensor: Tensor) -> str:
    """The dtype and shape of a tensor, for a message: `float32 (4, 3)`."""
    return f"{str(tensor.dtype).removeprefix('torch.')} ({', '.join(map(str, tensor.shape))})"


def separated(named: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Contiguous tensors on the CPU none of which shares memory with another, as tied weights do: for safetensors."""
    made: dict[str, Tensor] = {}
    taken: set[int] = set()
    for name, value in named.items():
        own = value.detach().cpu().contiguous()
        memory = own.untyped_storage().data_ptr()
        made[name] = own.clone() if memory in taken else own
        taken.add(memory)
    return made


def evenly(total: int, count: int) -> Tensor:
    """Return at most `count` evenly spaced indices below `total`, without repetition."""
    return torch.arange(min(total, count)) * total // min(total, count)


def evenly_to_the_end(total: int, count: int) -> list[int]:
    """Return at most `count` evenly spaced indices below `total`, with the first and, of 2 or more, the last."""
    indices: list[int] = np.unique(np.linspace(0, total - 1, count).round().astype(int)).tolist()
    return indices
