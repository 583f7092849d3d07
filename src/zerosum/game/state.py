"""The state of a game as named tensors, saved and loaded bit for bit."""

import itertools
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from zerosum._arrays import described
from zerosum.game.fitting import load_fitting
from zerosum.protocols import Stateful

State = Mapping[str, Mapping[str, Tensor]]
_MOST = 1 << 62  # images, and updates


Part = nn.Module | Optimizer | Stateful


def state_of(parts: Mapping[str, Part]) -> dict[str, dict[str, Tensor]]:
    """The state of networks, optimisers and stateful parts, a group of tensors for each by its name.

    Raises `ValueError` where one is not made of tensors.
    """
    return {
        name: _optimiser_state(part, name) if isinstance(part, Optimizer) else _checked(part.state_dict(), part, name)
        for name, part in parts.items()
    }


def load_state(parts: Mapping[str, Part], state: State) -> None:
    """Load a state into parts; a part without a group is given an empty one.

    Raises `ValueError` where a group does not fit its part.
    """
    for name, part in parts.items():
        group = dict(state.get(name, {}))  # a part with an empty state leaves no group
        if isinstance(part, nn.Module):
            load_fitting(part, group, f"its {name}")
        elif isinstance(part, Optimizer):
            _load_optimiser(part, group, name)
        else:
            try:
                part.load_state_dict(group)
            except (KeyError, RuntimeError) as error:
                raise ValueError(f"its memory of {name} does not fit: {str(error)!a:.100}") from None


def counts_of(counts: Mapping[str, int]) -> dict[str, Tensor]:
    """Counts as a group of a state."""
    return {name: torch.tensor(count) for name, count in counts.items()}


def load_count(group: Mapping[str, Tensor], name: str) -> int:
    """A count from a group of a state; raises `ValueError` where there is none."""
    found = group.get(name)
    if found is None or found.dtype != torch.int64 or found.dim() or not 0 <= int(found) < _MOST:
        raise ValueError(f"its {name} should be a count; found {found if found is None else described(found)}")
    return int(found)


def _checked(state: dict[str, Tensor], part: Part, name: str) -> dict[str, Tensor]:
    for key, value in state.items():
        if not isinstance(value, Tensor):
            raise ValueError(
                f"the state of {name} ({type(part).__name__}) should map names to tensors; "
                f"found {key}={value!r:.40}: make a tensor of it"
            )
    return state


def _optimiser_state(optimiser: Optimizer, name: str) -> dict[str, Tensor]:
    states = optimiser.state_dict()["state"]
    flat = {f"{index}.{key}": value for index, state in states.items() for key, value in state.items()}
    return _checked({key: value for key, value in flat.items() if value is not None}, optimiser, name)


def _load_optimiser(optimiser: Optimizer, flat: Mapping[str, Tensor], name: str) -> None:
    groups = [group["params"] for group in optimiser.param_groups]
    parameters = [parameter for group in groups for parameter in group]  # in the order in which torch numbers them
    states: dict[int, dict[str, Tensor]] = {}
    for key, tensor in flat.items():
        index, _, entry = key.partition(".")
        if not index.isdecimal() or int(index) >= len(parameters):
            raise ValueError(f"its {name} does not fit: {key!a:.80} is of none of the parameters")
        parameter = parameters[int(index)]
        if not _broadcasts(tensor.shape, parameter.shape):
            raise ValueError(f"its {name} does not fit: {key!a:.80} is {described(tensor)}")
        if tensor.shape == parameter.shape:
            # In the parameter's own memory layout, as the running optimiser had it.
            tensor = torch.empty_like(parameter, dtype=tensor.dtype).copy_(tensor)
        states.setdefault(int(index), {})[entry] = tensor
    for kinds in _kinds(optimiser, states):
        if len(kinds) > 1:
            raise ValueError(f"its {name} does not fit: it lacks numbers of some parameters")
    optimiser.load_state_dict({"state": states, "param_groups": optimiser.state_dict()["param_groups"]})


def _kinds(optimiser: Optimizer, states: Mapping[int, Mapping[str, Tensor]]) -> list[set[frozenset[str]]]:
    """The names of the states of trainable parameters, in sets: for each group, and for each number of dimensions."""
    found: dict[tuple[int, int], set[frozenset[str]]] = {}
    places = itertools.count()
    for number, group in enumerate(optimiser.param_groups):
        for parameter, place in [(parameter, next(places)) for parameter in group["params"]]:
            if parameter.requires_grad:
                found.setdefault((number, parameter.dim()), set()).add(frozenset(states.get(place, {})))
    return [*found.values()]


def _broadcasts(shape: torch.Size, target: torch.Size) -> bool:
    """Whether an optimiser's tensor can belong to a parameter: of its shape, or a mean over some dimensions."""
    if not shape:
        return True
    return len(shape) == len(target) and all(size in (1, own) for size, own in zip(shape, target, strict=True))
