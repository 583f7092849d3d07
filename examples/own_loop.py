"""The game's parts in a training loop of your own: no recipe, no run folder, no trainer.

Plain modules and plain tensors go in; the game, its losses, penalties and running average are the library's. Learns a
ring of eight Gaussians in about a minute and prints how many of them the generator found.
"""

import argparse
import itertools
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from zerosum.data import Ring
from zerosum.game import Batch, ExponentialMovingAverage, Game, Normal, Player, Term
from zerosum.metrics import mode_coverage
from zerosum.networks import MLPDiscriminator
from zerosum.objectives import Relativistic
from zerosum.terms import R1, R2, Cosine, Geometric, Scheduled


def batches(x: Tensor, size: int) -> Iterator[Batch]:
    """Yield random rows of x without end; all random numbers of an update derive from its batch's position."""
    random = torch.Generator().manual_seed(0)
    for position in itertools.count(0, size):
        yield Batch(x[torch.randint(len(x), (size,), generator=random)], None, position)


def ring_game(images: int) -> Game:
    """Two players for points in the plane: any module that maps z to x, and one that maps x to scores."""
    latent = Normal(8)
    generator = nn.Sequential(nn.Linear(latent.size, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 2))
    discriminator = MLPDiscriminator(hidden=(128, 128), fourier=64, fourier_scale=4.0).build((2,), condition=None)

    # A smooth D first, so that samples spread over all modes, and a sharper one later, so that they gather there.
    penalties = tuple(Scheduled(Geometric(0.01), term) for term in (R1(gamma=0.3), R2(gamma=0.3)))

    def player(name: str, network: nn.Module, terms: tuple[Term, ...] = ()) -> Player:
        optimiser = torch.optim.Adam(network.parameters(), lr=1e-3, betas=(0.0, 0.99))
        return Player(name, network, optimiser, terms, rate=Cosine())

    return Game(
        G=player("G", generator),
        D=player("D", discriminator, penalties),
        objective=Relativistic(),
        latent=latent,
        ema=ExponentialMovingAverage(generator, half_life=20_000),
        images_total=images,
    )


def main() -> None:
    """Train until D has seen the given number of real points, and count the modes found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=1_000_000, help="real points that D sees (default: %(default)s)")
    images = parser.parse_args().images

    torch.manual_seed(0)  # the networks' first weights
    ring = Ring()
    data = ring.open()
    game = ring_game(images)
    stream = batches(data.read(torch.arange(len(data))), size=256)
    while game.images < images:
        log = game.step(stream)
        if game.G.updates % 500 == 1:
            print(f"{game.images:>9,} images  " + "  ".join(f"{name} {value:.3f}" for name, value in log.items()))

    z = game.latent.draw(2_500, torch.Generator().manual_seed(1))
    with torch.no_grad():
        found = mode_coverage(game.ema.module(z), ring.centres(), ring.std)
    print(f"{found.found} of {found.modes} modes found, {found.high_quality:.1%} of the samples near one")


if __name__ == "__main__":
    main()
