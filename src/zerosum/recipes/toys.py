"""Toy games whose truth is known, on points in one and two dimensions."""

from zerosum.data.synthetic import Gaussian1D, Grid, Ring
from zerosum.game.latents import Normal
from zerosum.networks.mlp import MLPDiscriminator, MLPGenerator
from zerosum.objectives.relativistic import Relativistic
from zerosum.recipes.optimisers import Adam
from zerosum.recipes.recipe import Recipe
from zerosum.terms.gradient_penalties import R1, R2
from zerosum.terms.schedules import Cosine

_FALLING = Adam(lr=1e-3, betas=(0.0, 0.99), schedule=Cosine())


def ring() -> Recipe:
    """Eight Gaussians on a ring, by the relativistic game with R1 and R2: every mode found, in 90 s."""
    return Recipe(
        name="ring",
        data=Ring(),
        generator=MLPGenerator(hidden=(128, 128)),
        discriminator=MLPDiscriminator(hidden=(128, 128)),
        objective=Relativistic(),
        d_terms=(R1(gamma=0.001), R2(gamma=0.001)),
        latent=Normal(8),
        G_opt=_FALLING,
        D_opt=_FALLING,
        batch=256,
        images=3_000_000,
        ema=50_000.0,
        tick=50_000,
        snapshot=500_000,
    )


def grid() -> Recipe:
    """Twenty-five Gaussians on a grid, by the relativistic game with R1 and R2: every mode found, in 90 s."""
    return Recipe(
        name="grid",
        data=Grid(),
        generator=MLPGenerator(hidden=(128, 128)),
        discriminator=MLPDiscriminator(hidden=(128, 128)),
        objective=Relativistic(),
        d_terms=(R1(gamma=0.001), R2(gamma=0.001)),
        latent=Normal(8),
        G_opt=_FALLING,
        D_opt=_FALLING,
        batch=256,
        images=3_000_000,
        ema=50_000.0,
        tick=50_000,
        snapshot=500_000,
    )


def gaussian() -> Recipe:
    """One Gaussian on the line, the figure of the 2014 paper: D(x) settles at 1/2, in 20 s."""
    return Recipe(
        name="gaussian",
        data=Gaussian1D(),
        generator=MLPGenerator(hidden=(32, 32)),
        discriminator=MLPDiscriminator(hidden=(32, 32)),
        objective=Relativistic(),
        d_terms=(R1(gamma=0.1), R2(gamma=0.1)),
        latent=Normal(1),
        G_opt=_FALLING,
        D_opt=_FALLING,
        batch=256,
        images=1_000_000,
        tick=20_000,
        snapshot=200_000,
    )
