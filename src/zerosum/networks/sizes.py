"""A bound on what a recipe's text can make a machine allocate."""

__all__ = ()

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn.modules.module import register_module_parameter_registration_hook

_TENSORS = 20_000  # far above any network of ours


def built(build: Callable[[], nn.Module], bytes_at_most: int | None = None) -> nn.Module:
    """What `build` builds, if its weights fit into a share of the machine's memory.

    A size in a recipe is a number that anybody can write, and weights are filled as soon as they are made: one digit
    too many would bring the machine to a halt. So it is built first where nothing is filled, on the meta device, and
    counted; what cannot be built there is counted as it is built.

    Args:
        build: makes a network; called twice. The random numbers of the first time do not count.
        bytes_at_most: of weights; by default half the machine's memory.

    Raises:
        ValueError: where there are more, or more than 20,000 tensors of them.
    """
    most = bytes_at_most or os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    with torch.random.fork_rng(devices=[]), torch.device("meta"), _counted(most):
        try:
            build()
        except (RuntimeError, NotImplementedError, TypeError) as error:
            if "overflow" in str(error).lower():
                raise ValueError(_TOO_LARGE) from None
    with _counted(most):
        try:
            return build()
        except RuntimeError as error:
            if "allocate memory" in str(error):
                raise ValueError(_TOO_LARGE) from None
            raise


_TOO_LARGE = "a network of this recipe is larger than the memory of this machine: give it a smaller size"


@contextmanager
def _counted(most: int) -> Iterator[None]:
    """Raise `ValueError` as soon as more than `most` bytes of weights are made."""
    made = [0, 0]

    def count(_module: nn.Module, _name: str, parameter: nn.Parameter | None) -> None:
        if parameter is not None:
            made[0] += parameter.numel() * parameter.element_size()
            made[1] += 1
            if made[0] > most or made[1] > _TENSORS:
                raise ValueError(
                    f"the networks of this recipe have more than {most / 1e9:,.1f} GB of weights or {_TENSORS:,} "
                    f"tensors, too many for this machine: give them a smaller size"
                )

    hook = register_module_parameter_registration_hook(count)
    try:
        yield
    finally:
        hook.remove()
