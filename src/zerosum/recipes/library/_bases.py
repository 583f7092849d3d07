"""Base recipes on digits, from which many named recipes derive by replacing one or two parts."""

from dataclasses import replace

from zerosum.game.latents import Normal, Uniform
from zerosum.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from zerosum.objectives.logistic import NonSaturating
from zerosum.recipes.optimisers import Adam
from zerosum.recipes.recipe import Recipe
from zerosum.terms.gradient_penalties import R1
from zerosum.terms.schedules import Cosine, Every


def with_norm() -> Recipe:
    """DCGAN as published, with batch norm in both networks."""
    return Recipe(
        name="dcgan",
        generator=DCGANGenerator(size=32),
        discriminator=DCGANDiscriminator(size=32),
        objective=NonSaturating(),
        latent=Uniform(100),
        images=300_000,
        ema=25_000.0,
        ema_rampup=0.2,
    )


def without_norm() -> Recipe:
    """DCGAN with lazy R1, no norm in D (required by gradient penalties), and Adam without momentum."""
    optimiser = adam_without_momentum(lr=5e-4)
    return replace(
        with_norm(),
        discriminator=DCGANDiscriminator(size=32, norm="none"),
        latent=Normal(16),
        d_terms=(Every(8, R1(gamma=1.0)),),
        G_opt=optimiser,
        D_opt=optimiser,
    )


def adam_without_momentum(lr: float, second: float = 0.99) -> Adam:
    """Adam without momentum, with cosine decay of the learning rate in the last third of the run."""
    return Adam(lr=lr, betas=(0.0, second), schedule=Cosine(begin=0.7))
