"""Classic GANs and the demo, on the embedded digits."""

from dataclasses import replace

from zerosum.game.latents import Uniform
from zerosum.networks.autoencoder import AutoEncoderDiscriminator
from zerosum.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from zerosum.networks.mlp import IdentityDiscriminator, MLPDiscriminator, MLPGenerator
from zerosum.objectives.energy import BoundaryEquilibrium, EnergyBased
from zerosum.objectives.kernel import MMD, GaussianKernel, RationalQuadraticKernel
from zerosum.objectives.least_squares import AbsoluteError, LeastSquares
from zerosum.objectives.logistic import NonSaturating
from zerosum.objectives.relativistic import Relativistic
from zerosum.objectives.wasserstein import Hinge, Wasserstein
from zerosum.recipes.library._bases import adam_without_momentum, with_norm, without_norm
from zerosum.recipes.optimisers import Adam, RMSprop
from zerosum.recipes.recipe import Recipe
from zerosum.terms.gradient_penalties import R1, R2, GradientPenalty
from zerosum.terms.schedules import Cosine, Every, Geometric, Scheduled
from zerosum.terms.weight_clipping import WeightClip


def digits() -> Recipe:
    """The demo: class-conditional non-saturating GAN with lazy R1; under 3 minutes.

    The penalty starts strong, so that samples cover all handwriting styles, and decays, so that they become sharp.
    """
    optimiser = Adam(lr=8e-4, betas=(0.0, 0.99), schedule=Cosine(begin=0.7))
    return Recipe(
        name="digits",
        generator=DCGANGenerator(size=32),
        discriminator=DCGANDiscriminator(size=32, norm="none"),
        objective=NonSaturating(),
        conditional=True,
        d_terms=(Every(4, Scheduled(Geometric(end=0.1), R1(gamma=3.0))),),
        G_opt=optimiser,
        D_opt=optimiser,
        batch=128,
        images=260_000,
        ema=25_000.0,
        ema_rampup=0.2,
    )


def gan() -> Recipe:
    """The original GAN (Goodfellow et al. 2014): two MLPs, dropout in D; 3 minutes.

    Batch norm and a wider G give all ten digits; smaller generators without it ended with three to eight.
    """
    return Recipe(
        name="gan",
        generator=MLPGenerator(hidden=(256, 512, 1024), norm="batch"),
        discriminator=MLPDiscriminator(hidden=(512, 256), dropout=0.3),
        objective=NonSaturating(),
        latent=Uniform(100),
        batch=128,
        images=600_000,
        ema=25_000.0,
        ema_rampup=0.2,
        snapshot=100_000,
        tick=10_000,
    )


def dcgan() -> Recipe:
    """DCGAN: deep convolutional networks with batch norm (Radford et al. 2016); 4 minutes on one core."""
    return with_norm()


def lsgan() -> Recipe:
    """LSGAN: least-squares loss instead of cross-entropy (Mao et al. 2017); 4 minutes on one core."""
    return replace(dcgan(), name="lsgan", objective=LeastSquares())


def absolute() -> Recipe:
    """Absolute-error (total variation) loss, saturating for both players, with lazy R1; 4 minutes on one core."""
    return replace(without_norm(), name="absolute", objective=AbsoluteError())


def hinge() -> Recipe:
    """Hinge GAN: hinge loss (Lim and Ye 2017) with lazy R1; 4 minutes on one core."""
    return replace(without_norm(), name="hinge", objective=Hinge())


def relativistic() -> Recipe:
    """RpGAN: paired relativistic loss with lazy R1 and R2, as R3GAN (Huang et al. 2024); 4 minutes on one core."""
    decay, optimiser = Geometric(end=0.1), adam_without_momentum(lr=8e-4)
    return replace(
        without_norm(),
        name="relativistic",
        objective=Relativistic(),
        d_terms=(Every(4, Scheduled(decay, R1(gamma=2.0))), Every(4, Scheduled(decay, R2(gamma=2.0)))),
        G_opt=optimiser,
        D_opt=optimiser,
        batch=128,
    )


def wgan() -> Recipe:
    """WGAN: Wasserstein loss with weight clipping (Arjovsky et al. 2017); 3 minutes on one core.

    The clipped critic learns slowly: all digits are present, and 44 % of samples are classified with confidence.
    """
    return replace(
        dcgan(),
        name="wgan",
        objective=Wasserstein(),
        d_after=WeightClip(limit=0.01),
        G_opt=RMSprop(lr=2e-4),
        D_opt=RMSprop(lr=2e-4),
        n_critic=5,
        images=250_000,
    )


def wgan_gp() -> Recipe:
    """WGAN-GP: Wasserstein loss with gradient penalty (Gulrajani et al. 2017); 10 minutes on one core.

    One critic update per step at twice G's learning rate gave more confident samples than two at the same rate; the
    paper uses five.
    """
    return replace(
        without_norm(),
        name="wgan-gp",
        objective=Wasserstein(),
        d_terms=(GradientPenalty(weight=10.0),),
        G_opt=adam_without_momentum(lr=5e-4, second=0.9),
        D_opt=adam_without_momentum(lr=1e-3, second=0.9),
        images=500_000,
    )


def ebgan() -> Recipe:
    """EBGAN: autoencoder reconstruction error as D's energy (Zhao et al. 2017); 7 minutes on one core."""
    return replace(
        dcgan(),
        name="ebgan",
        discriminator=AutoEncoderDiscriminator(size=32, code=64, error="squared"),
        objective=EnergyBased(margin=0.1),
        images=250_000,
    )


def began() -> Recipe:
    """BEGAN: autoencoder D, balanced by an adaptive weight k (Berthelot et al. 2017); 4 minutes on one core.

    A small autoencoder with a gamma that favours diversity: size 32 and code 64 with gamma 0.7, at twice the learning
    rate, ended with three digits.
    """
    return replace(
        dcgan(),
        name="began",
        # Squared errors: with absolute errors the autoencoder converges to black, the median of most pixels.
        discriminator=AutoEncoderDiscriminator(size=16, code=32, error="squared"),
        objective=BoundaryEquilibrium(gamma=0.9, rate=0.001),
        latent=Uniform(32),
        G_opt=Adam(lr=1e-4),
        D_opt=Adam(lr=1e-4),
        images=200_000,
    )


def gmmn() -> Recipe:
    """GMMN: minimises MMD on pixels, without a discriminator (Li et al. 2015); 3 minutes.

    MMD on pixels blurs: after 600,000 images 48 % of samples are classified with confidence, two digits are below 1 %.
    """
    return Recipe(
        name="gmmn",
        generator=MLPGenerator(hidden=(256, 512)),
        discriminator=IdentityDiscriminator(),
        objective=MMD(kernel=GaussianKernel(bandwidths=(2.0, 5.0, 10.0, 20.0, 40.0))),
        latent=Uniform(32),
        G_opt=Adam(lr=1e-3, betas=(0.9, 0.999)),
        n_critic=0,
        batch=500,
        images=600_000,
        tick=20_000,
        snapshot=200_000,
    )


def mmd_gan() -> Recipe:
    """MMD GAN: MMD on learned features of D (Li et al. 2017, Binkowski et al. 2018); 4 minutes on one core."""
    optimiser = adam_without_momentum(lr=5e-4, second=0.9)
    return replace(
        without_norm(),
        name="mmd-gan",
        discriminator=DCGANDiscriminator(size=32, norm="none", scores=16),
        objective=MMD(kernel=RationalQuadraticKernel()),
        d_terms=(Every(4, R1(gamma=1.0)),),
        G_opt=optimiser,
        D_opt=optimiser,
        images=250_000,
    )
