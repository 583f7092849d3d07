"""Unrolled GANs: G trains against D after its next updates."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.optim import Adam, RMSprop

from zerosum.game.distributed import average
from zerosum.game.game import Game
from zerosum.game.judgement import Judgement
from zerosum.game.player import Player, unwrapped
from zerosum.game.state import Part, load_state, state_of
from zerosum.game.turn import Discriminator, Turn
from zerosum.protocols import Stateful

Named = dict[str, Tensor]
_MOST = 1_000  # updates ahead, all of which are in memory
_LEAST = 1e-30  # of a second moment: the derivative of sqrt is infinite at 0


@dataclass(frozen=True)
class Unrolled:
    """Train G against the discriminator k updates ahead: Metz et al. 2017 (arXiv 1611.02163), equations 5 to 8.

    In G's update D is unrolled for k steps of its own optimiser, and the gradient is backpropagated through them. So G
    accounts for the response of D to a change of its samples, and a collapse onto one mode, to which D would respond at
    once, is not rewarded. D itself is not updated. The unrolled steps include D's terms, on weights too; those that
    detach their samples (as `GradientPenalty`) pass no gradient to G.

    Each unrolled step costs about one update of D, and as much memory, since all are stored for the gradient.

    Args:
        k: number of unrolled updates (>= 1); the paper uses 5 to 10.
    """

    k: int = 5
    whole_batch: ClassVar[str] = "updates D on the batch k times"

    def __post_init__(self) -> None:
        if self.k < 1:
            raise ValueError(f"Unrolled(k) looks k updates ahead, at least 1; found {self.k}")
        if self.k > _MOST:
            raise ValueError(f"Unrolled(k) looks k updates ahead, at most {_MOST:,}; found {self.k}")

    def __call__(self, game: Game, turn: Turn) -> Discriminator:
        """D after k updates on G's samples, as a function of them."""
        network = game.D.network
        weights: Named = dict(network.named_parameters())
        names = [name for name, weight in weights.items() if weight.requires_grad]
        # Unrolled updates leave no trace in D: the statistics of batch norm change in a copy.
        buffers = {name: buffer.clone() for name, buffer in network.named_buffers()}
        ahead, stateful = _Ahead(game.D), _stateful_terms(game.D)
        states = state_of(stateful)
        states = {name: {key: tensor.clone() for key, tensor in state.items()} for name, state in states.items()}
        for step in range(self.k):
            clock = replace(turn.clock, updates=game.D.updates + step)
            x = turn.x.detach().requires_grad_()
            D_turn = replace(turn, player="D", D=network, x=x, clock=clock)
            own = [weights[name] for name in names]
            with game.precision(), _holding(network, weights | buffers):
                loss = torch.stack([*game.parts(game.D, D_turn).values()]).sum()
                gradients = torch.autograd.grad(loss, own, create_graph=True, materialize_grads=True)
            weights |= dict(zip(names, ahead.step(own, average(gradients)), strict=True))
        load_state(stateful, states)  # nor in D's terms, which may collect what they see
        return _with(network, weights | buffers)


def _stateful_terms(player: Player) -> dict[str, Part]:
    terms = {f"term {place}": unwrapped(term) for place, term in enumerate(player.terms)}
    return {name: term for name, term in terms.items() if isinstance(term, Stateful)}


@contextmanager
def _holding(network: nn.Module, tensors: Named) -> Iterator[None]:
    """Put tensors in place of a network's parameters and buffers, for layers and for terms on weights.

    `torch.func.functional_call` cannot run terms, and leaves its tensors in a layer that is used twice.
    """
    before = {**dict(network.named_parameters()), **dict(network.named_buffers())}
    tensor_of = {id(old): tensors[name] for name, old in before.items()}  # by identity, as layers may share weights
    places: list[dict[str, Any]] = [p for module in network.modules() for p in (module._parameters, module._buffers)]
    originals = [dict(place) for place in places]
    try:
        for place in places:
            place.update({name: tensor_of[id(old)] for name, old in place.items() if id(old) in tensor_of})
        yield
    finally:
        for place, original in zip(places, originals, strict=True):
            place.update(original)


def _with(network: nn.Module, tensors: Named) -> Discriminator:
    def D(*arguments: Tensor) -> Tensor | Judgement:
        with _holding(network, tensors):
            judgement: Tensor | Judgement = network(*arguments)
        return judgement

    return D


class _Ahead:
    """A player's optimiser as a differentiable function: its next steps, without changing the player."""

    def __init__(self, player: Player) -> None:
        if not isinstance(player.optimiser, Adam | RMSprop):
            kind = type(player.optimiser).__name__
            raise ValueError(f"Unrolled looks ahead by Adam or RMSprop; {player.name}'s optimiser is {kind}")
        groups = player.optimiser.param_groups
        for name in ("weight_decay", "momentum", "centered", "amsgrad", "maximize"):
            if any(group.get(name) for group in groups):
                raise ValueError(f"Unrolled does not look ahead by {name}: leave it out of {player.name}'s optimiser")
        # Parameter groups may be in any order, so options are looked up by parameter.
        option_of = {parameter: group for group in groups for parameter in group["params"]}
        self.options = [option_of[parameter] for parameter in player.parameters]
        self.states = [dict(player.optimiser.state.get(parameter, {})) for parameter in player.parameters]
        self.direction = _adam if isinstance(player.optimiser, Adam) else _rmsprop

    def step(self, weights: Sequence[Tensor], gradients: Sequence[Tensor]) -> list[Tensor]:
        """The weights after one more step, as functions of weights and gradients."""
        updates = zip(weights, gradients, self.states, self.options, strict=True)
        return [weight - option["lr"] * self.direction(g, state, option) for weight, g, state, option in updates]


def _root(square: Tensor) -> Tensor:
    return square.clamp_min(_LEAST).sqrt()


def _adam(gradient: Tensor, state: dict[str, Any], option: dict[str, Any]) -> Tensor:
    first, second = option["betas"]
    state["step"] = state.get("step", torch.zeros(())) + 1
    state["exp_avg"] = torch.lerp(gradient, state.get("exp_avg", torch.zeros_like(gradient)), first)
    state["exp_avg_sq"] = torch.lerp(gradient.square(), state.get("exp_avg_sq", torch.zeros_like(gradient)), second)
    mean: Tensor = state["exp_avg"] / (1 - first ** state["step"])
    direction: Tensor = mean / (_root(state["exp_avg_sq"] / (1 - second ** state["step"])) + option["eps"])
    return direction


def _rmsprop(gradient: Tensor, state: dict[str, Any], option: dict[str, Any]) -> Tensor:
    square: Tensor = torch.lerp(gradient.square(), state.get("square_avg", torch.zeros_like(gradient)), option["alpha"])
    state["square_avg"] = square
    direction: Tensor = gradient / (_root(square) + option["eps"])
    return direction
