"""Copies of networks."""

__all__ = ()

import copy
from collections.abc import Iterator
from typing import Any, TypeVar

from torch import Tensor, nn

Network = TypeVar("Network", bound=nn.Module)


def copied(network: Network) -> Network:
    """A deep copy of a network, also of one that keeps tensors of its last forward pass, as maps: detached."""
    kept = {id(one): one.detach().clone() for module in network.modules() for one in _computed(vars(module))}
    return copy.deepcopy(network, kept)


def _computed(value: Any) -> Iterator[Tensor]:
    """The tensors with a history, which cannot be copied deeply, in attributes and in lists and tables of them."""
    if isinstance(value, Tensor) and not value.is_leaf:
        yield value
    elif isinstance(value, dict | list | tuple):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _computed(one)
