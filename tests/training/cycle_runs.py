"""A tiny run of two games without pairs, and processes that play it.

    python cycle_runs.py FOLDER [STEP]

trains the run in FOLDER, and kills itself at once in STEP.
"""

import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from zerosum.data import Unpaired
from zerosum.data.dataset import in_memory
from zerosum.game.latents import Normal
from zerosum.game.two_games import TwoGames
from zerosum.networks.mlp import MLPDiscriminator
from zerosum.objectives.least_squares import LeastSquares
from zerosum.recipes.optimisers import Adam
from zerosum.recipes.recipe import Recipe
from zerosum.recipes.translation import Cycle
from zerosum.training.train import train

SIDE = 8


@dataclass(frozen=True)
class Stripes:
    """Dark and light stripes, across or down."""

    down: bool = False
    count: int = 60

    def open(self):
        random = np.random.default_rng(int(self.down))
        x = np.full((self.count, 1, SIDE, SIDE), 40, np.uint8)
        for image, place in zip(x, random.integers(0, SIDE - 1, self.count), strict=True):
            image[0, place : place + 2] = 220
        images = x.transpose(0, 1, 3, 2) if self.down else x
        return in_memory("stripes", torch.from_numpy(np.ascontiguousarray(images)))


class Mixed(nn.Module):
    """G(z, c): a linear map of the condition's pixels."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(SIDE**2, SIDE**2)

    def forward(self, z, c):
        return self.linear(c.flatten(1)).tanh().view(-1, 1, SIDE, SIDE)


@dataclass(frozen=True)
class Mixing:
    """Builds it."""

    def build(self, latent, shape, condition):
        return Mixed()


KNOWN = {"Stripes": Stripes, "Mixing": Mixing}
STEADY = Adam(lr=1e-3, eps=0.1)
RECIPE = Recipe(
    name="stripes",
    data=Unpaired(Stripes(), Stripes(down=True)),
    generator=Mixing(),
    discriminator=MLPDiscriminator(hidden=(16,), activation="silu"),
    objective=LeastSquares(),
    game=Cycle(weight=5.0, noise=0.01),
    conditional=True,
    latent=Normal(4),
    G_opt=STEADY,
    D_opt=STEADY,
    batch=12,
    images=240,
    ema=100.0,
    tick=48,
    snapshot=96,
    precision="float32",
)


def main(folder, last=None):
    step, steps = TwoGames.step, []

    def counted(game, batches):
        steps.append(1)
        if last is not None and len(steps) == int(last):
            os.kill(os.getpid(), signal.SIGKILL)
        return step(game, batches)

    TwoGames.step = counted
    train(RECIPE, Path(folder), quiet=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
