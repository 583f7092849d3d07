"""Everything a game must remember, to tensors and numbers and back, bit for bit."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from zerosum.game.finite import NonFiniteError
from zerosum.game.game import Game
from zerosum.game.player import Player, unwrapped
from zerosum.game.state import Stateful, load_memory, memory_of
from zerosum.runs.checkpoint import Checkpoint
from zerosum.runs.fitting import load_fitting, told


def capture(
    game: Game, numbers: Mapping[str, Any], further: Mapping[str, dict[str, Tensor]] = MappingProxyType({})
) -> Checkpoint:
    """The game as a checkpoint; `numbers` are further facts to keep with it, `further` groups of tensors likewise."""
    groups = {
        **further,
        "G": game.G.network.state_dict(),
        "D": game.D.network.state_dict(),
        "ema": game.ema.module.state_dict(),
        "G_opt": _optimiser_state(game.G),
        "D_opt": _optimiser_state(game.D),
    }
    groups |= {name: memory_of(part, name) for name, part in _stateful(game).items()}
    counters = {"images": game.images, "G_moves": game.G.moves, "D_moves": game.D.moves}
    return Checkpoint(groups, {**numbers, **counters})


def restore(game: Game, checkpoint: Checkpoint) -> None:
    """Bring a freshly built game to where the checkpoint was taken.

    Raises `ValueError` where the checkpoint is of another game; this one may then be half changed, until it is brought
    somewhere else.
    """
    groups = checkpoint.groups
    images, G_moves, D_moves = (count(checkpoint.numbers, name) for name in ("images", "G_moves", "D_moves"))
    load_fitting(game.G.network, groups.get("G", {}), "its G")
    load_fitting(game.D.network, groups.get("D", {}), "its D")
    load_fitting(game.ema.module, groups.get("ema", {}), "its average of G")
    for player, name in ((game.G, "G_opt"), (game.D, "D_opt")):
        if player.optimiser is not None:
            _restore_optimiser(player.optimiser, player, groups.get(name, {}))
    for name, part in _stateful(game).items():
        load_memory(part, name, dict(groups.get(name, {})))  # a part with nothing to remember leaves no group
    game.images, game.G.moves, game.D.moves = images, G_moves, D_moves


def count(numbers: Mapping[str, Any], name: str) -> int:
    """A whole number of a checkpoint; raises `ValueError` where it is none."""
    found = numbers.get(name)
    if type(found) is not int or found < 0:
        raise ValueError(f"its {name} should be a count; found {found!a:.40}")
    return found


def slow_down(game: Game, factor: float) -> None:
    """Multiply the learning rates of both players of a freshly built game."""
    for player in (game.G, game.D):
        player.base_rates = [rate * factor for rate in player.base_rates]


def check_weights(game: Game) -> None:
    """Raise `NonFiniteError` where a player's weights are no longer finite numbers: nobody should go on from them.

    Likewise after a bad move that was not read yet, whose images do not count.
    """
    game.check_finite()
    for player in (game.D, game.G):
        if player.parameters and not bool(torch.stack([p.isfinite().all() for p in player.parameters]).all()):
            raise NonFiniteError(f"a weight of {player.name} is no longer a finite number")


def _stateful(game: Game) -> dict[str, Stateful]:
    parts: dict[str, object] = {"objective": game.objective, "augment": game.augment}
    for player in (game.G, game.D):
        parts |= {f"{player.name}_term_{i}": unwrapped(term) for i, term in enumerate(player.terms)}
    return {name: part for name, part in parts.items() if isinstance(part, Stateful)}


def _optimiser_state(player: Player) -> dict[str, Tensor]:
    state = {} if player.optimiser is None else player.optimiser.state_dict()["state"]
    return {f"{index}.{name}": tensor for index, entries in state.items() for name, tensor in entries.items()}


def _restore_optimiser(optimiser: Optimizer, player: Player, flat: Mapping[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in flat.items():
        index, _, name = key.partition(".")
        if not index.isdecimal() or int(index) >= len(player.parameters):
            raise ValueError(f"its optimiser of {player.name} does not fit: {key!a:.80} is none of its numbers")
        parameter = player.parameters[int(index)]
        if tensor.dim() and tensor.shape != parameter.shape:
            raise ValueError(f"its optimiser of {player.name} does not fit: {key!a:.80} is {told(tensor)}")
        if tensor.shape == parameter.shape:
            # In the parameter's own memory layout, as the running optimiser had it.
            tensor = torch.empty_like(parameter, dtype=tensor.dtype).copy_(tensor)
        state.setdefault(int(index), {})[name] = tensor
    if len({frozenset(names) for names in state.values()}) > 1 or len(state) not in (0, len(player.parameters)):
        raise ValueError(f"its optimiser of {player.name} does not fit: it lacks numbers of some parameters")
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
