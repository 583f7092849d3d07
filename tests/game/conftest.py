"""A tiny game on made-up points, in float32 on the CPU."""

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import nn

from zerosum.game import Batch, ExponentialMovingAverage, Game, Normal, Player
from zerosum.objectives import NonSaturating

LATENT, POINT, BATCH = 3, 2, 4


def networks() -> tuple[nn.Module, nn.Module]:
    """The same G and D at every call."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        G = nn.Sequential(nn.Linear(LATENT, 8), nn.Tanh(), nn.Linear(8, POINT))
        D = nn.Sequential(nn.Linear(POINT, 8), nn.Tanh(), nn.Linear(8, 1), nn.Flatten(0))
    return G, D


def stream() -> Iterator[Batch]:
    """Made-up real points, the same at every call."""
    position = 0
    while True:
        generator = torch.Generator().manual_seed(position)
        yield Batch(torch.randn(BATCH, POINT, generator=generator) + 2, None, position)
        position += BATCH


@pytest.fixture
def batches() -> Iterator[Batch]:
    """An infinite stream of batches."""
    return stream()


@pytest.fixture
def play() -> Callable[..., Game]:
    """Make a game; keywords go to `Game`, except those that begin with G_ or D_, which go to that player."""

    def make(G=None, D=None, **options):
        default_G, default_D = networks()
        players = {}
        for name, network in (("G", G or default_G), ("D", D or default_D)):
            own = {key[2:]: options.pop(key) for key in list(options) if key.startswith(f"{name}_")}
            parameters = [*network.parameters()]
            optimiser = torch.optim.Adam(parameters, 0.01, (0.5, 0.9)) if parameters else None
            players[name] = Player(name, network, own.pop("optimiser", optimiser), **own)
        ema = ExponentialMovingAverage(players["G"].network, half_life=100)
        defaults = {"objective": NonSaturating(), "latent": Normal(LATENT), "ema": ema, "images_total": 100}
        return Game(**players, **(defaults | options))

    return make


@pytest.fixture
def fresh_networks() -> Callable[[], tuple[nn.Module, nn.Module]]:
    """The networks that `play` starts from."""
    return networks


class Spy:
    """A term that keeps every turn it sees."""

    def __init__(self, value=0.0):
        self.turns, self.value = [], value

    def __call__(self, turn):
        self.turns.append(turn)
        return torch.tensor(self.value)


@pytest.fixture
def spying() -> type[Spy]:
    """Makes terms of a given value that keep every turn they see."""
    return Spy


@pytest.fixture
def unchanged() -> Callable[[nn.Module], Callable[[], bool]]:
    """Takes a network as it is now and gives a question: is it still the same?"""

    def remember(network):
        before = {name: value.detach().clone() for name, value in network.state_dict().items()}
        return lambda: all(torch.equal(value, before[name]) for name, value in network.state_dict().items())

    return remember
