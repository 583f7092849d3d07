"""The games that one would pick today, small enough for two cores; `size` makes them larger."""

from dataclasses import replace

from zerosum.augment.adaptive import AdaptiveAugment
from zerosum.data.toys.stacked_digits import StackedDigits
from zerosum.game.latents import Normal
from zerosum.networks.conditioning import ConditionalNorm
from zerosum.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from zerosum.networks.fastgan import FastGANGenerator
from zerosum.networks.fastgan_discriminator import FastGANDiscriminator
from zerosum.networks.minibatch import MinibatchStddev
from zerosum.networks.r3gan import R3GANDiscriminator, R3GANGenerator
from zerosum.networks.resnet import ResNetDiscriminator, ResNetGenerator
from zerosum.networks.stylegan2 import StyleGAN2Discriminator, StyleGAN2Generator
from zerosum.networks.transformer import TransformerDiscriminator, TransformerGenerator, width_scaled
from zerosum.objectives.relativistic import Relativistic
from zerosum.objectives.wasserstein import Hinge
from zerosum.recipes.library._bases import steady, without_norm
from zerosum.recipes.library.classics import digits, hinge
from zerosum.recipes.optimisers import Adam
from zerosum.recipes.recipe import Recipe
from zerosum.terms.gradient_penalties import R1, R2
from zerosum.terms.level_guidance import LevelGuidance
from zerosum.terms.path_length import PathLength
from zerosum.terms.reconstruction import Reconstruction
from zerosum.terms.schedules import Cosine, Every, Geometric, Scheduled


def sngan() -> Recipe:
    """Residual networks whose critic is held by spectral norm alone (Miyato et al. 2018); 15 minutes on one core."""
    return replace(
        without_norm(),
        name="sngan",
        generator=ResNetGenerator(size=32),
        discriminator=ResNetDiscriminator(size=32),
        objective=Hinge(),
        latent=Normal(64),
        d_terms=(),
        images=200_000,
    )


def sagan() -> Recipe:
    """SNGAN with self-attention and labels, a rate for each player (Zhang et al. 2019); 13 minutes on one core."""
    return replace(
        sngan(),
        name="sagan",
        generator=ResNetGenerator(size=32, norm="spectral_batch", conditioning=ConditionalNorm(), attention=14),
        discriminator=ResNetDiscriminator(size=32, attention=14),
        conditional=True,
        G_opt=Adam(lr=2e-4, betas=(0.0, 0.9)),
        D_opt=Adam(lr=8e-4, betas=(0.0, 0.9)),
    )


def ada() -> Recipe:
    """Augmentation that grows as D learns its data by heart (Karras et al. 2020); 5 minutes on one core."""
    return replace(digits(), name="ada", augment=AdaptiveAugment(pipeline="bg", images=200_000))


def fastgan() -> Recipe:
    """For small data: a light G, and a D that has to reconstruct (Liu et al. 2021); 15 minutes on one core."""
    return replace(
        without_norm(),
        name="fastgan",
        generator=FastGANGenerator(size=16),
        discriminator=FastGANDiscriminator(size=16, decoders=True),
        objective=Hinge(),
        latent=Normal(64),
        d_terms=(Reconstruction(),),
        images=60_000,
    )


def stylegan2() -> Recipe:
    """A style for each layer, path length and lazy R1 (Karras et al. 2020); 20 minutes on one core.

    Take `ada` beside it on small data. It learns slowly. The path length is held more loosely than in the paper, about
    a mean that follows sooner: a run so short would not live to see G leave the flat map it begins with.
    """
    optimiser = Adam(lr=2.5e-3, betas=(0.0, 0.99))
    return replace(
        without_norm(),
        name="stylegan2",
        generator=StyleGAN2Generator(size=64, full=1, mixing=0.5),
        discriminator=StyleGAN2Discriminator(size=64, full=1),
        latent=Normal(64),
        d_terms=(Every(16, R1(gamma=0.5)),),
        g_terms=(Every(8, PathLength(weight=0.02, decay=0.9)),),
        G_opt=optimiser,
        D_opt=optimiser,
        batch=32,
        images=250_000,
    )


def r3gan() -> Recipe:
    """The modern baseline: relativistic pairs, R1 and R2, no norms (Huang et al. 2024); 11 minutes on one core.

    The penalties begin strong, or all samples are one mean picture, and fall, or D learns no detail. It learns slowly:
    nine digits are there at the end, and 60 % of samples read with confidence.
    """
    falling = Geometric(end=0.01)
    optimiser = Adam(lr=1e-3, betas=(0.0, 0.99), schedule=Cosine(begin=0.5))
    return replace(
        without_norm(),
        name="r3gan",
        generator=R3GANGenerator(size=16),
        discriminator=R3GANDiscriminator(size=16),
        objective=Relativistic(),
        latent=Normal(64),
        d_terms=tuple(Every(4, Scheduled(falling, penalty)) for penalty in (R1(gamma=10.0), R2(gamma=10.0))),
        G_opt=optimiser,
        D_opt=optimiser,
        batch=32,
        images=130_000,
    )


def gat() -> Recipe:
    """Transformers for both players, each depth of G under guidance (Hyun et al. 2025); 20 minutes on one core.

    It is for those who will scale it. In so short a run it learns by many moves of small batches. As in arXiv
    2509.24935, the learning rate falls with the width: a larger `size` wants `width_scaled(2e-4, size)`.
    """
    size = 4
    penalties = (Every(4, R1(gamma=1.0)), Every(4, R2(gamma=1.0)))
    optimiser = steady(lr=width_scaled(2e-4, size))
    return replace(
        r3gan(),
        name="gat",
        generator=TransformerGenerator(size=size, tokens=64),
        discriminator=TransformerDiscriminator(size=size, levels=4, tokens=64),
        d_terms=(*penalties, LevelGuidance(penalties=penalties)),
        g_terms=(LevelGuidance(),),
        G_opt=optimiser,
        D_opt=optimiser,
        batch=16,
        images=40_000,
    )


def stacked_mnist() -> Recipe:
    """Three digits as the planes of one picture: 1,000 modes to find (Metz et al. 2017); 20 minutes on one core.

    G draws three digits at once, so it is twice as wide as the others; D sees how much the samples of a group differ;
    and the penalty does not fall. Played as `relativistic`, KL was at its best early and drifted (docs/lab-notes.md).
    """
    return replace(
        hinge(),
        name="stacked-mnist",
        data=StackedDigits(),
        generator=DCGANGenerator(size=64),
        discriminator=DCGANDiscriminator(size=32, norm="none", minibatch=MinibatchStddev()),
        latent=Normal(64),
        batch=128,
        images=800_000,
    )
