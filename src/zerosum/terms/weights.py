"""Penalties on the weights of the player whose move they are added to, D's among `d_terms` and G's among `g_terms`.

They read the parameters that learn, in float32 even under autocast.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from zerosum.game.turn import Turn
from zerosum.terms._common import check_weight, own_network, own_parameters

_ROWS = "GD"  # the players, in the order of the rows of a count


@dataclass(frozen=True)
class WeightDecay:
    """weight/2 |theta|^2 over the player's own weights: Krogh and Hertz 1991.

    Being a part of the loss it passes through the optimiser, so that Adam rescales it with the rest of the gradient;
    a decoupled decay is the optimiser's affair.

    Args:
        weight: lambda (>= 0).
        vectors: decay also parameters of a single axis: biases, and the gains of norms.
    """

    weight: float = 1e-4
    vectors: bool = False

    def __post_init__(self) -> None:
        check_weight("weight", self.weight)

    def __call__(self, turn: Turn) -> Tensor:
        """The penalty on this turn, a scalar >= 0."""
        decayed = [p for p in own_parameters(turn).values() if self.vectors or p.dim() > 1]
        return self.weight / 2 * sum((p.square().sum() for p in decayed), turn.zero())


def _filters(network: nn.Module) -> Iterator[Tensor]:
    """The weights of linear and convolutional layers as matrices W with a row for each output."""
    for module in network.modules():
        for p in module.parameters(recurse=False):
            if p.dim() < 2 or not p.requires_grad or isinstance(module, nn.Embedding):
                continue
            if isinstance(module, nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d):
                # Kept as (inputs, outputs of a group, ...): bring the outputs to the front.
                yield p.reshape(module.groups, -1, *p.shape[1:]).transpose(1, 2).flatten(0, 1).flatten(1)
            else:
                yield p.flatten(1)


@dataclass(frozen=True)
class OrthogonalRegularization:
    """weight sum over layers of |W W^T * (1 - I)|^2, which keeps filters apart: Brock, Donahue and Simonyan 2019.

    Equation 3 of arXiv 1809.11096 (BigGAN), with a filter for each row of W. It leaves the filters' lengths free; with
    `diagonal` it is the original |W W^T - I|^2 of Brock et al. 2017 (arXiv 1609.07093), which holds them to 1. Class
    embeddings hold no filters and are left out.

    Args:
        weight: beta (>= 0).
        diagonal: hold the lengths of the filters too.
    """

    weight: float = 1e-4
    diagonal: bool = False

    def __post_init__(self) -> None:
        check_weight("weight", self.weight)

    def __call__(self, turn: Turn) -> Tensor:
        """The penalty on this turn, a scalar >= 0."""
        total = turn.zero()
        with torch.autocast(total.device.type, enabled=False):
            for w in _filters(own_network(turn)):
                products, identity = w @ w.T, torch.eye(len(w), dtype=w.dtype, device=w.device)
                excess = products - identity if self.diagonal else products * (1 - identity)
                total = total + excess.square().sum()
        return self.weight * total


@dataclass(frozen=True)
class HistoricalAveraging:
    """weight |theta - mean of all theta so far|^2 over the player's own weights: Salimans et al. 2016.

    Section 3.3 of arXiv 1606.03498: a player that circles is drawn to the centre of its circle. The mean is over all
    of the player's moves since the term first acted, the present weights included, and is no part of the gradient. It
    takes memory of the network's size.

    Args:
        weight: weight (>= 0).
    """

    weight: float = 1.0
    means: dict[str, Tensor] = field(default_factory=dict, init=False, repr=False, compare=False)
    # For each player: of how many moves the weights are in its mean, and which was the last.
    taken: Tensor = field(
        default_factory=lambda: torch.tensor([[0, -1], [0, -1]]), init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        check_weight("weight", self.weight)

    def __call__(self, turn: Turn) -> Tensor:
        """The penalty on this turn, a scalar >= 0; 0 on the first."""
        own = own_parameters(turn)
        if not self.taken[_ROWS.index(turn.player), 0]:
            self._take_in(turn.player, turn.clock.updates - 1, own)
        return self.weight * sum(
            ((p - self.means[f"{turn.player}.{name}"]).square().sum() for name, p in own.items()), turn.zero()
        )

    def watch(self, player: str, turn: Turn, log: dict[str, Tensor]) -> None:
        """After a move of a player whose history is kept: take its new weights in, once a move."""
        count, last = self.taken[_ROWS.index(player)].tolist()
        if count and last != turn.clock.updates:
            self._take_in(player, turn.clock.updates, own_parameters(turn))

    @torch.no_grad()
    def _take_in(self, player: str, move: int, own: dict[str, nn.Parameter]) -> None:
        """Take the weights with which a move ended into the player's mean."""
        count = int(self.taken[_ROWS.index(player), 0])
        for name, p in own.items():
            key = f"{player}.{name}"
            # In the parameter's own device and memory layout, also where the mean comes out of a checkpoint.
            self.means[key] = torch.empty_like(p).copy_(self.means.get(key, p)).lerp_(p, 1 / (count + 1))
        self.taken[_ROWS.index(player)] = torch.tensor([count + 1, move])

    def state_dict(self) -> dict[str, Tensor]:
        """The mean weights by player and name, and what is in them."""
        return {"taken": self.taken.clone(), **{name: mean.clone() for name, mean in self.means.items()}}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Take the means from `state_dict()`."""
        self.taken.copy_(state["taken"])
        self.means.clear()
        self.means.update({name: mean.clone() for name, mean in state.items() if name != "taken"})
