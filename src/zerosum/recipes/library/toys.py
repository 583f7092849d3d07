"""Toy distributions in one and two dimensions."""

from dataclasses import replace

from zerosum.data.dataset import Source
from zerosum.data.toys.distribution_points import DistributionSamples
from zerosum.data.toys.gaussians import Gaussian1D, Grid, Ring
from zerosum.distributions.continuous import ExponentialDistribution
from zerosum.game.latents import Normal, Uniform
from zerosum.networks.conditioning import Concatenate
from zerosum.networks.mlp import IdentityDiscriminator, MLPDiscriminator, MLPGenerator
from zerosum.objectives.drifting import Drifting
from zerosum.objectives.kernel import MMD, GaussianKernel
from zerosum.objectives.logistic import NonSaturating
from zerosum.objectives.relativistic import Relativistic
from zerosum.recipes.denoising import Denoising
from zerosum.recipes.optimisers import Adam
from zerosum.recipes.recipe import Recipe
from zerosum.terms.gradient_penalties import R1, R2
from zerosum.terms.schedules import Cosine, Geometric, Scheduled


def ring() -> Recipe:
    """Eight Gaussians on a ring: all modes, by RpGAN with decaying penalties; 2 minutes on one core."""
    return replace(_decaying_penalties("ring", Ring(), detail=8.0, end=0.001), latent=Uniform(2), images=2_400_000)


def grid() -> Recipe:
    """Twenty-five Gaussians on a grid: all modes, by the method of `ring`; 90 s."""
    return _decaying_penalties("grid", Grid(), detail=4.0, end=0.006)


def drifting() -> Recipe:
    """Drifting: real samples attract, generated ones repel, without a discriminator (Deng et al. 2026); 50 s.

    On the ring. The rate falls to 0, as the field does not: it is divided by its size.
    """
    return replace(
        ring(),
        name="drifting",
        discriminator=IdentityDiscriminator(),
        objective=Drifting(),
        d_terms=(),
        latent=Normal(2),
        n_critic=0,
        G_opt=Adam(lr=2e-3, betas=(0.9, 0.99), schedule=Cosine()),
        batch=128,
        images=320_000,
        ema=20_000.0,
    )


def ddgan() -> Recipe:
    """Denoising diffusion GAN: from noise in four steps, each a conditional GAN (Xiao et al. 2022); 60 s.

    On the ring. For images give networks that take an image as the condition, `UNet` and `PatchDiscriminator`.
    """
    return replace(
        ring(),
        name="ddgan",
        game=Denoising(steps=4),
        generator=MLPGenerator(hidden=(192, 192, 192), embedding=32),
        discriminator=MLPDiscriminator(hidden=(128, 128), fourier=64, fourier_scale=8.0, conditioning=Concatenate(32)),
        latent=Normal(16),
        images=320_000,
        ema=20_000.0,
    )


def _decaying_penalties(name: str, data: Source, detail: float, end: float) -> Recipe:
    """RpGAN with penalties that start strong, so that samples cover all modes, and decay, so that they become sharp.

    Fourier features let a small D resolve details much finer than the range of the data. The latent has no more
    dimensions than the data: with more of them, or a smaller G, more samples lie between two modes.
    """
    optimiser = Adam(lr=2e-3, betas=(0.0, 0.99), schedule=Cosine())
    decay = Geometric(end)
    return Recipe(
        name=name,
        data=data,
        generator=MLPGenerator(hidden=(192, 192, 192)),
        discriminator=MLPDiscriminator(hidden=(128, 128), fourier=64, fourier_scale=detail),
        objective=Relativistic(),
        d_terms=(Scheduled(decay, R1(gamma=1.0)), Scheduled(decay, R2(gamma=1.0))),
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
    """One-dimensional Gaussian, as figure 1 of Goodfellow et al. 2014: D(x) converges to 1/2; 30 s."""
    return Recipe(
        name="gaussian",
        data=Gaussian1D(),
        # A smooth G and a piecewise linear D, which fits the curvature of the density sooner than a smooth one.
        generator=MLPGenerator(hidden=(64, 64), activation="silu"),
        discriminator=MLPDiscriminator(hidden=(64, 64)),
        objective=NonSaturating(),
        d_terms=(R1(gamma=0.02),),
        latent=Uniform(1),
        # A G slower than D keeps its map monotone.
        G_opt=Adam(lr=3e-4, betas=(0.0, 0.99), schedule=Cosine()),
        D_opt=Adam(lr=1e-3, betas=(0.0, 0.99), schedule=Cosine()),
        batch=256,
        images=1_000_000,
        ema=50_000.0,
        tick=20_000,
        snapshot=200_000,
    )


def inverse_transform() -> Recipe:
    """Inverse CDF of the exponential distribution, learned by a GAN from uniform noise; 60 s."""
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
    """Inverse CDF of the exponential distribution, learned by minimising MMD, without a discriminator; 60 s."""
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
