"""A tiny run under captions, for `test_text.py`."""

from dataclasses import dataclass

import torch
from torch.nn.functional import avg_pool2d

from zerosum.data.dataset import in_memory
from zerosum.game.latents import Normal
from zerosum.networks.conditioning import Projection
from zerosum.networks.mlp import MLPDiscriminator, MLPGenerator
from zerosum.objectives.logistic import NonSaturating
from zerosum.probes.scenes import Scenes
from zerosum.recipes.optimisers import Adam
from zerosum.recipes.recipe import Recipe


@dataclass(frozen=True)
class SmallScenes:
    """Scenes of 16x16 pixels."""

    count: int = 300

    def open(self):
        scenes = Scenes(count=self.count).open()
        x = avg_pool2d(scenes.read(torch.arange(len(scenes))).float(), 2).round().byte()
        return in_memory("small scenes", x, conditions=scenes.conditions)


KNOWN = {"SmallScenes": SmallScenes}
STEADY = Adam(lr=1e-3, eps=0.1)
RECIPE = Recipe(
    name="small-scenes",
    data=SmallScenes(),
    generator=MLPGenerator(hidden=(24,), activation="silu"),
    discriminator=MLPDiscriminator(hidden=(24,), activation="silu", conditioning=Projection()),
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
