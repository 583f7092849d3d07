"""Toy games whose truth is known, on points in one and two dimensions."""

from dataclasses import replace

from zerosum.data.dataset import Source
from zerosum.data.toys.distribution_points import DistributionSamples
from zerosum.data.toys.gaussians import Gaussian1D, Grid, Ring
from zerosum.distributions.continuous import ExponentialDistribution
from zerosum.game.latents import Normal, Uniform
from zerosum.networks.mlp import IdentityDiscriminator, MLPDiscriminator, MLPGenerator
from zerosum.objectives.kernel import MMD, GaussianKernel
from zerosum.objectives.logistic import NonSaturating
from zerosum.objectives.relativistic import Relativistic
from zerosum.recipes.optimisers import Adam
from zerosum.recipes.recipe import Recipe
from zerosum.terms.gradient_penalties import R1, R2
from zerosum.terms.schedules import Cosine, Geometric, Scheduled


def ring() -> Recipe:
    """Eight Gaussians on a ring: every mode found, by a critic that sharpens as it goes; 2 minutes on one core."""
    return replace(_sharpening("ring", Ring(), detail=8.0, softest=0.001), latent=Uniform(2), images=2_400_000)


def grid() -> Recipe:
    """Twenty-five Gaussians on a grid: every mode found, by the same game as `ring`; 90 s."""
    return _sharpening("grid", Grid(), detail=4.0, softest=0.006)


def _sharpening(name: str, data: Source, detail: float, softest: float) -> Recipe:
    """The relativistic game with penalties that are strong at first, so that samples spread over all modes, and weak at
    last, so that they grow sharp; Fourier features let a small D see details much finer than the range of the data.
    The latent has no more entries than the data: the more it has, and the smaller G, the more of it lies between two
    modes.
    """
    optimiser = Adam(lr=2e-3, betas=(0.0, 0.99), schedule=Cosine())
    softening = Geometric(softest)
    return Recipe(
        name=name,
        data=data,
        generator=MLPGenerator(hidden=(192, 192, 192)),
        discriminator=MLPDiscriminator(hidden=(128, 128), fourier=64, fourier_scale=detail),
        objective=Relativistic(),
        d_terms=(Scheduled(softening, R1(gamma=1.0)), Scheduled(softening, R2(gamma=1.0))),
        latent=Normal(2),
        G_opt=optimiser,
        D_opt=optimiser,
        batch=256,
        images=1_600_000,
        ema=50_000.0,
        tick=50_000,
        snapshot=500_000,
    )


def gaussian() -> Recipe:
    """One Gaussian on the line, the first picture of the 2014 paper: D(x) settles at 1/2; 30 s."""
    return Recipe(
        name="gaussian",
        data=Gaussian1D(),
        # A smooth G, and a D of straight pieces, which follows the bends of the density sooner than a smooth one.
        generator=MLPGenerator(hidden=(64, 64), activation="silu"),
        discriminator=MLPDiscriminator(hidden=(64, 64)),
        objective=NonSaturating(),
        d_terms=(R1(gamma=0.02),),
        latent=Uniform(1),
        # A slower G never runs ahead of D's slope, so its map keeps its order: no fold in it.
        G_opt=Adam(lr=3e-4, betas=(0.0, 0.99), schedule=Cosine()),
        D_opt=Adam(lr=1e-3, betas=(0.0, 0.99), schedule=Cosine()),
        batch=256,
        images=1_000_000,
        ema=50_000.0,
        tick=20_000,
        snapshot=200_000,
    )


def inverse_transform() -> Recipe:
    """A generator learns the inverse CDF of the exponential law by a game: uniform noise in, samples out; 60 s."""
    return replace(
        gaussian(),
        name="inverse-transform",
        data=DistributionSamples(distribution=ExponentialDistribution()),
        discriminator=MLPDiscriminator(hidden=(64, 64), activation="silu"),
        latent=Uniform(1, low=0.0, high=1.0),
        images=2_000_000,
        ema=10_000.0,
    )


def inverse_transform_mmd() -> Recipe:
    """The same transform learned without a game, by direct matching with MMD; 60 s."""
    return replace(
        inverse_transform(),
        name="inverse-transform-mmd",
        discriminator=IdentityDiscriminator(),
        objective=MMD(kernel=GaussianKernel(bandwidths=(0.1, 0.3, 1.0, 3.0))),
        d_terms=(),
        n_critic=0,
        G_opt=Adam(lr=1e-3, betas=(0.9, 0.99), schedule=Cosine()),
        images=1_000_000,
    )
