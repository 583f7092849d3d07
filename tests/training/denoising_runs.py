"""A tiny run of a denoising diffusion GAN on points, for `test_denoising.py`."""

from zerosum.data.toys.gaussians import Ring
from zerosum.game.latents import Normal
from zerosum.networks.conditioning import Concatenate
from zerosum.networks.mlp import MLPDiscriminator, MLPGenerator
from zerosum.objectives.logistic import NonSaturating
from zerosum.recipes.denoising import Denoising
from zerosum.recipes.optimisers import Adam
from zerosum.recipes.recipe import Recipe
from zerosum.terms.gradient_penalties import R1

STEADY = Adam(lr=1e-3, eps=0.1)
RECIPE = Recipe(
    name="denoised-ring",
    data=Ring(count=100),
    generator=MLPGenerator(hidden=(16,), activation="silu", embedding=6),
    discriminator=MLPDiscriminator(hidden=(16,), activation="silu", conditioning=Concatenate(6)),
    objective=NonSaturating(),
    d_terms=(R1(gamma=0.1),),
    game=Denoising(),
    latent=Normal(16),
    G_opt=STEADY,
    D_opt=STEADY,
    batch=12,
    images=240,
    ema=100.0,
    tick=48,
    snapshot=96,
    precision="float32",
)
