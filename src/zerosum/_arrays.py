"""Array arguments: tensors, and whatever can become one."""

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor


class SupportsArray(Protocol):
    """A numpy array, or what can be one."""

    def __array__(self) -> Any:
        """The numbers as a numpy array."""
        ...


Array = Tensor | SupportsArray | Sequence[Any]


def tensor(values: Array) -> Tensor:
    """Values as a tensor: a tensor as it is, an array without a copy where it can be, a list of numbers in float64.

    Raises `ValueError` for what holds no numbers in rows and columns.
    """
    if isinstance(values, Tensor):
        return values
    try:
        if isinstance(values, Sequence):
            made = torch.tensor(values)
            return torch.tensor(values, dtype=torch.float64) if made.is_floating_point() else made
        array = values.__array__()
        # torch reads neither backwards nor what it may not write.
        plain = array.flags.writeable and all(step >= 0 for step in array.strides)
        return torch.as_tensor(array if plain else array.copy())
    except (TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise ValueError(
            f"expected a tensor, a numpy array or a list of numbers; found {type(values).__name__} ({error})"
        ) from error


def tensors(*values: Array) -> tuple[Tensor, ...]:
    """Several values as tensors, in their order."""
    return tuple(map(tensor, values))


def described(tensor: Tensor) -> str:
    """The dtype and shape of a tensor, for a message: `float32 (4, 3)`."""
    return f"{str(tensor.dtype).removeprefix('torch.')} ({', '.join(map(str, tensor.shape))})"
