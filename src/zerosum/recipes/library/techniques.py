"""Techniques against mode collapse."""

from dataclasses import replace

from zerosum.augment.combined import InstanceNoise
from zerosum.game.latents import Normal
from zerosum.game.unrolled import Unrolled
from zerosum.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from zerosum.networks.minibatch import MinibatchDiscrimination
from zerosum.networks.mlp import MLPDiscriminator
from zerosum.networks.packed import Packed
from zerosum.objectives.logistic import NonSaturating
from zerosum.recipes.library._bases import with_norm
from zerosum.recipes.library.plain import non_saturating
from zerosum.recipes.recipe import Recipe
from zerosum.terms.features import FeatureMatching
from zerosum.terms.weights import HistoricalAveraging


def minibatch_discrimination() -> Recipe:
    """Minibatch discrimination: D compares samples of a batch (Salimans et al. 2016); 6 minutes on one core."""
    discriminator = DCGANDiscriminator(size=32, minibatch=MinibatchDiscrimination(kernels=16, size=4, group=32))
    return replace(with_norm(), name="minibatch-discrimination", discriminator=discriminator)


def feature_matching() -> Recipe:
    """Feature matching: G matches the mean of D's features (Salimans et al. 2016); 4 minutes on one core."""
    return replace(with_norm(), name="feature-matching", g_terms=(FeatureMatching(),))


def historical_averaging() -> Recipe:
    """Historical averaging: penalty on distance to past weights (Salimans et al. 2016); 6 minutes on one core."""
    term = HistoricalAveraging(weight=0.01)
    return replace(with_norm(), name="historical-averaging", d_terms=(term,), g_terms=(term,))


def label_smoothing() -> Recipe:
    """One-sided label smoothing: target 0.9 for real samples (Salimans et al. 2016); 4 minutes on one core."""
    return replace(with_norm(), name="label-smoothing", objective=NonSaturating(real_label=0.9))


def vbn() -> Recipe:
    """Virtual batch norm: statistics of a fixed reference batch (Salimans et al. 2016); 14 minutes on one core."""
    return replace(
        with_norm(),
        name="vbn",
        generator=DCGANGenerator(size=32, norm="virtual"),
        discriminator=DCGANDiscriminator(size=32, norm="virtual"),
        latent=Normal(64),
    )


def instance_noise() -> Recipe:
    """Instance noise: decaying Gaussian noise on D's inputs (Sonderby et al. 2017); 5 minutes on one core."""
    return replace(with_norm(), name="instance-noise", augment=InstanceNoise(sigma=0.3))


def unrolled() -> Recipe:
    """Unrolled GAN: G trains against D unrolled by 5 updates, on the ring (Metz et al. 2017); 6 minutes on one core."""
    return replace(non_saturating(), name="unrolled", opponent=Unrolled(k=5))


def pacgan() -> Recipe:
    """PacGAN: D scores packs of four samples, which exposes low diversity, on the ring (Lin et al. 2018); 60 s."""
    discriminator = Packed(MLPDiscriminator(hidden=(128, 128)), samples=4)
    return replace(non_saturating(), name="pacgan", discriminator=discriminator)
