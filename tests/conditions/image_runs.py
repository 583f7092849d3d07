"""A kind of condition that the library does not know, and a run under it, for `test_own_kind.py`."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from zerosum.conditions.condition import Condition, ConditionRow, Overview
from zerosum.data.conditions import Conditions
from zerosum.data.dataset import in_memory
from zerosum.game.latents import Normal
from zerosum.networks.conditioning import Projection
from zerosum.networks.mlp import MLPDiscriminator, MLPGenerator
from zerosum.objectives.logistic import NonSaturating
from zerosum.recipes.optimisers import Adam
from zerosum.recipes.recipe import Recipe

SIDE = 8


class Flattened(nn.Module):
    """Embeds images by a linear map."""

    def __init__(self, side, size, scale, mean):
        super().__init__()
        self.linear = nn.Linear(side**2, size)
        nn.init.normal_(self.linear.weight, std=scale / side)
        nn.init.constant_(self.linear.bias, mean)

    def forward(self, c):
        return self.linear(c.flatten(1))


@dataclass(frozen=True, eq=False)
class Outline(Condition):
    """The condition is a grey image: bytes in the data, `(1, side, side)` in [-1, 1] as networks take it.

    Grey all over stands for an unknown one.
    """

    side: int
    examples: torch.Tensor

    @property
    def shape(self):
        return (1, self.side, self.side)

    def embed(self, size, scale=1.0, mean=0.0):
        return Flattened(self.side, size, scale, mean)

    def encode(self, values):
        return values.float() / 127.5 - 1

    def with_unknown(self):
        return self

    def unknown(self, n):
        return torch.zeros(n, *self.shape)

    def values(self, n, wanted=None):
        if wanted is None:
            return self.examples[torch.arange(n) % len(self.examples)]
        images = torch.as_tensor(np.asarray(wanted))
        if images.dtype != torch.uint8 or images.shape[-3:] != self.shape:
            raise ValueError(f"an outline is bytes of shape {self.shape}; found {tuple(images.shape)}")
        images = images.view(-1, *self.shape)
        return images[torch.arange(n) % len(images)]

    def overview(self, rows, columns):
        captions = tuple(f"outline {i}" for i in range(columns))
        row = ConditionRow("outlines", self.values(columns), captions, "of the data")
        return Overview("By outline", "Samples for outlines.", (row,))

    @property
    def facts(self):
        return {"outline": f"{self.side} x {self.side}"}

    def state_dict(self):
        return {"examples": self.examples}

    @classmethod
    def restored(cls, facts, state):
        side, _, other = str(facts.get("outline")).partition(" x ")
        examples = state.get("examples")
        if side != other or not side.isdecimal() or examples is None or examples.shape[1:] != (1, int(side), int(side)):
            raise ValueError(f"an outline is SIDE x SIDE, with examples of that; found {facts!a:.80}")
        return cls(int(side), examples)


@dataclass(frozen=True)
class Outlined:
    """Bright squares on dark images, each under the outline of the same place."""

    count: int = 60

    def open(self):
        random = np.random.default_rng(0)
        places = random.integers(0, 5, (self.count, 2))
        x = np.full((self.count, 1, SIDE, SIDE), 20, np.uint8)
        for image, (row, column) in zip(x, places, strict=True):
            image[0, row : row + 3, column : column + 3] = 230
        outlines = torch.from_numpy(x // 2)
        conditions = Conditions(Outline(SIDE, outlines[:16].clone()), outlines)
        return in_memory("outlined", torch.from_numpy(x), conditions=conditions)


KNOWN = {"Outline": Outline, "Outlined": Outlined}
STEADY = Adam(lr=1e-3, eps=0.1)
RECIPE = Recipe(
    name="outlined",
    data=Outlined(),
    generator=MLPGenerator(hidden=(16,), activation="silu"),
    discriminator=MLPDiscriminator(hidden=(16,), activation="silu", conditioning=Projection()),
    objective=NonSaturating(),
    conditional=True,
    label_dropout=0.2,
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
