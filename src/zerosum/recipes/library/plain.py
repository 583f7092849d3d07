"""Baseline GANs on the ring of Gaussians."""

from dataclasses import replace

from zerosum.networks.mlp import MLPDiscriminator
from zerosum.objectives.logistic import Minimax, NonSaturating
from zerosum.recipes.library.toys import ring
from zerosum.recipes.optimisers import Adam
from zerosum.recipes.recipe import Recipe
from zerosum.terms.gradient_penalties import R1


def minimax() -> Recipe:
    """Minimax GAN, the value function of Goodfellow et al. 2014, on the ring: shows mode collapse; 70 s."""
    optimiser = Adam(lr=1e-3)
    return replace(
        ring(),
        name="minimax",
        discriminator=MLPDiscriminator(hidden=(128, 128)),
        objective=Minimax(),
        d_terms=(),
        G_opt=optimiser,
        D_opt=optimiser,
        images=1_800_000,
    )


def non_saturating() -> Recipe:
    """Non-saturating GAN: avoids G's vanishing gradient, on the ring (Goodfellow et al. 2014, section 3); 70 s."""
    return replace(minimax(), name="non-saturating", objective=NonSaturating())


def r1() -> Recipe:
    """R1: non-saturating GAN with a gradient penalty on real samples, on the ring (Mescheder et al. 2018); 70 s.

    With the momentum of the other baselines it found no mode; the paper uses no momentum either.
    """
    optimiser = Adam(lr=1e-3, betas=(0.0, 0.99))
    return replace(non_saturating(), name="r1", d_terms=(R1(gamma=0.1),), G_opt=optimiser, D_opt=optimiser)
