"""Penalties on the weights of a player: D's among `d_terms`, G's among `g_terms`.

They use the trainable parameters, in float32 even under autocast.
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

    L2 regularisation: as part of the loss its gradient is rescaled by Adam. For decoupled weight decay use the
    optimiser's option.

    Args:
        weight: lambda (>= 0).
        vectors: also decay parameters of one dimension: biases, and the gains of norms.
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
    """The weights of linear and convolutional layers as matrices W, one row per output."""
    for module in network.modules():
        for p in module.parameters(recurse=False):
            if p.dim() < 2 or not p.requires_grad or isinstance(module, nn.Embedding):
                continue
            if isinstance(module, nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d):
                # Stored as (inputs, outputs of a group, ...): bring the outputs to the front.
                yield p.reshape(module.groups, -1, *p.shape[1:]).transpose(1, 2).flatten(0, 1).flatten(1)
            else:
                yield p.flatten(1)


@dataclass(frozen=True)
class OrthogonalRegularization:
    """weight sum over layers of |W W^T * (1 - I)|^2, orthogonal filters: Brock, Donahue and Simonyan 2019.

    Equation 3 of arXiv 1809.11096 (BigGAN), with one filter per row of W. It does not constrain the norms of the
    filters; with `diagonal` it is the original |W W^T - I|^2 of Brock et al. 2017 (arXiv 1609.07093), which pulls them
    towards 1. Class embeddings are not filters and are excluded.

    Args:
        weight: beta (>= 0).
        diagonal: constrain the norms of the filters too.
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

    Section 3.3 of arXiv 1606.03498: it damps oscillations. The mean is over all of the player's updates since the term
    was first active, including the current weights, and is detached. It takes memory of the network's size.

    Args:
        weight: weight (>= 0).
    """

    weight: float = 1.0
    means: dict[str, Tensor] = field(default_factory=dict, init=False, repr=False, compare=False)
    # For each player: number of updates in its mean, and the last of them.
    taken: Tensor = field(
        default_factory=lambda: torch.tensor([[0, -1], [0, -1]]), init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        check_weight("weight", self.weight)

    def __call__(self, turn: Turn) -> Tensor:
        """The penalty on this turn, a scalar >= 0; 0 on the first."""
        own = own_parameters(turn)
        if not self.taken[_ROWS.index(turn.player), 0]:
            self._add(turn.player, turn.clock.updates - 1, own)
        return self.weight * sum(
            ((p - self.means[f"{turn.player}.{name}"]).square().sum() for name, p in own.items()), turn.zero()
        )

    def watch(self, player: str, turn: Turn, log: dict[str, Tensor]) -> None:
        """After an update of a player with a history: add its new weights, once per update."""
        count, last = self.taken[_ROWS.index(player)].tolist()
        if count and last != turn.clock.updates:
            self._add(player, turn.clock.updates, own_parameters(turn))

    @torch.no_grad()
    def _add(self, player: str, update: int, own: dict[str, nn.Parameter]) -> None:
        """Add the weights after an update to the player's mean."""
        count = int(self.taken[_ROWS.index(player), 0])
        for name, p in own.items():
            key = f"{player}.{name}"
            # In the parameter's own device and memory layout, also where the mean is from a checkpoint.
            self.means[key] = torch.empty_like(p).copy_(self.means.get(key, p)).lerp_(p, 1 / (count + 1))
        self.taken[_ROWS.index(player)] = torch.tensor([count + 1, update])

    def state_dict(self) -> dict[str, Tensor]:
        """The mean weights by player and name, and their number of updates."""
        return {"taken": self.taken.clone(), **{name: mean.clone() for name, mean in self.means.items()}}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Load the means from `state_dict()`."""
        self.taken.copy_(state["taken"])
        self.means.clear()
        self.means.update({name: mean.clone() for name, mean in state.items() if name != "taken"})
