"""A tiny run of two games without pairs, for `test_cycle.py`."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from zerosum.augment import HistoryBuffer
from zerosum.data import Unpaired
from zerosum.data.dataset import in_memory
from zerosum.game.latents import Normal
from zerosum.networks.mlp import MLPDiscriminator
from zerosum.objectives.least_squares import LeastSquares
from zerosum.recipes.optimisers import Adam
from zerosum.recipes.recipe import Recipe
from zerosum.recipes.translation import Cycle

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
    augment=HistoryBuffer(20),
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
