"""Play a small game as one of several processes, and save what came of it; `test_distributed.py` starts them.

    python ranks.py RANK RANKS MEETING_POINT OUTPUT

Each rank takes its rows of the same batches. The game holds everything that has to agree between ranks: penalties on
random points, a penalty that rests on most moves, a parameter that no loss reaches, BEGAN's balance, and terms that
remember what all ranks have seen.
"""

import sys

import torch
import torch.distributed as dist
from safetensors.torch import save_file
from torch import nn

from zerosum.game import Batch, ExponentialMovingAverage, Game, NonFiniteError, Normal, Player, average
from zerosum.game.distributed import same_start
from zerosum.objectives import BoundaryEquilibrium
from zerosum.terms import R1, Dragan, Every, GradientPenalty, HistoricalAveraging, LeCam, PathLength

ROWS, ROUNDS = 8, 4


class Energy(nn.Module):
    """A discriminator that scores by minus a squared error, with a parameter that it never uses."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 2))
        self.idle = nn.Parameter(torch.ones(3))

    def forward(self, x):
        return -(self.body(x) - x).square().sum(1)


def game(rank):
    torch.manual_seed(rank)  # ranks begin apart, and `same_start` brings them together
    G, D = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2)), Energy()
    same_start([*G.parameters(), *D.parameters()])
    optimisers = [torch.optim.Adam(network.parameters(), 0.02, (0.5, 0.9)) for network in (G, D)]
    return Game(
        G=Player("G", G, optimisers[0], (PathLength(), HistoricalAveraging(0.1))),
        D=Player("D", D, optimisers[1], (GradientPenalty(), Every(3, R1()), Dragan(), LeCam())),
        objective=BoundaryEquilibrium(rate=0.05),
        latent=Normal(3),
        ema=ExponentialMovingAverage(G, half_life=50),
    )


def own_batches(rank, ranks):
    own, position = ROWS // ranks, 0
    while True:
        whole = torch.randn(ROWS, 2, generator=torch.Generator().manual_seed(position)) + 2
        yield Batch(whole[rank * own : (rank + 1) * own], None, position)
        position += ROWS


class Notes:
    """Keeps the latents that this rank drew, and what the log said of D's loss."""

    def __init__(self):
        self.latents, self.losses = [], []

    def watch(self, player, turn, log):
        self.latents.append(turn.z)
        self.losses += [log["D/loss"]] if player == "D" else []


class Poison:
    """A term that is no number on the last rank, and nothing elsewhere."""

    def __call__(self, turn):
        return turn.zero() + (float("nan") if turn.draws.rank == turn.draws.ranks - 1 else 0.0)


def stops(played, batches):
    """Whether a game that goes wrong on one rank stops on this one."""
    played.D.terms += (Poison(),)
    try:
        played.step(batches)
    except NonFiniteError as error:
        return str(error).startswith("D/Poison is")
    return False


def main(rank, ranks, meeting_point, output):
    if ranks > 1:
        store = dist.FileStore(meeting_point, ranks)
        dist.init_process_group("gloo", store=store, rank=rank, world_size=ranks)
    played, notes = game(rank), Notes()
    played.watchers += (notes,)
    batches = own_batches(rank, ranks)
    for _ in range(ROUNDS):
        played.step(batches)
    found = {f"G.{k}": v for k, v in played.G.network.state_dict().items()}
    found |= {f"D.{k}": v for k, v in played.D.network.state_dict().items()}
    found |= {f"ema.{k}": v for k, v in played.ema.module.state_dict().items()}
    found |= {"k": played.objective.balance, "images": torch.tensor(played.images)}
    found |= {"latents": torch.stack(notes.latents), "losses": torch.stack(notes.losses)}
    square, number = average([torch.full((2, 2), float(rank)), torch.tensor(2.0 * rank)])
    found |= {"square": square, "number": number}
    found |= {"stops": torch.tensor(stops(played, batches))}
    save_file({name: value.detach().contiguous().clone() for name, value in found.items()}, output)
    if ranks > 1:
        dist.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
