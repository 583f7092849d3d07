"""Everything a game must remember, to tensors and numbers and back, bit for bit."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor
from torch.optim import Optimizer

from zerosum.game.game import Game
from zerosum.game.player import Player, unwrapped
from zerosum.runs.checkpoint import Checkpoint


@runtime_checkable
class Stateful(Protocol):
    """A part with memory of its own, such as an objective whose balance adapts."""

    def state_dict(self) -> dict[str, Tensor]:
        """Its memory, as named tensors."""
        ...

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Take the memory back."""
        ...


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
    groups |= {name: part.state_dict() for name, part in _stateful(game).items()}
    counters = {"images": game.images, "G_moves": game.G.moves, "D_moves": game.D.moves}
    return Checkpoint(groups, {**numbers, **counters})


def restore(game: Game, checkpoint: Checkpoint) -> None:
    """Bring a freshly built game to where the checkpoint was taken."""
    groups = {name: dict(tensors) for name, tensors in checkpoint.groups.items()}
    game.G.network.load_state_dict(groups["G"])
    game.D.network.load_state_dict(groups.get("D", {}))
    game.ema.module.load_state_dict(groups["ema"])
    for player, name in ((game.G, "G_opt"), (game.D, "D_opt")):
        if player.optimiser is not None:
            _restore_optimiser(player.optimiser, player, groups.get(name, {}))
    for name, part in _stateful(game).items():
        part.load_state_dict(groups.get(name, {}))  # a part with nothing to remember leaves no group
    game.images = checkpoint.numbers["images"]
    game.G.moves, game.D.moves = checkpoint.numbers["G_moves"], checkpoint.numbers["D_moves"]


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
        parameter = player.parameters[int(index)]
        if tensor.shape == parameter.shape:
            # In the parameter's own memory layout, as the running optimiser had it.
            tensor = torch.empty_like(parameter, dtype=tensor.dtype).copy_(tensor)
        state.setdefault(int(index), {})[name] = tensor
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
