"""What GANs are used for: to enlarge, colour, fill in and translate images, and to continue clips."""

from dataclasses import replace

from zerosum.augment.history_buffer import HistoryBuffer
from zerosum.data.dataset import Source
from zerosum.data.pairs.downscaled import Downscaled
from zerosum.data.pairs.edges import Edges
from zerosum.data.pairs.grayscale import Grayscale
from zerosum.data.pairs.masked import Masked
from zerosum.data.pairs.moving_digits import MovingDigits
from zerosum.data.pairs.reliefs import Reliefs
from zerosum.data.pairs.unpaired import Unpaired
from zerosum.data.sources.digits import Digits
from zerosum.data.toys.coloured_digits import ColouredDigits
from zerosum.game.latents import Normal
from zerosum.networks.blind import Blind
from zerosum.networks.conditioning import Concatenate, Projection
from zerosum.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from zerosum.networks.patch import PatchDiscriminator
from zerosum.networks.super_resolution import SuperResolution
from zerosum.networks.translator import Translator
from zerosum.networks.unet_generator import UNet
from zerosum.objectives.logistic import NonSaturating
from zerosum.objectives.wasserstein import Hinge
from zerosum.probes.scenes import Scenes
from zerosum.recipes.optimisers import Adam
from zerosum.recipes.recipe import Recipe
from zerosum.recipes.translation import Cycle
from zerosum.terms.contrastive import Contrastive
from zerosum.terms.fidelity import L1, DiscriminatorFeatures, GradientDifference
from zerosum.terms.gradient_penalties import R1
from zerosum.terms.identity_mapping import IdentityMapping
from zerosum.terms.matching_aware import MatchingAware
from zerosum.terms.mode_seeking import ModeSeeking
from zerosum.terms.patch_nce import PatchNCE
from zerosum.terms.schedules import Cosine, Every, Geometric, Scheduled


def super_resolution() -> Recipe:
    """Super-resolution: absolute error first, then the game (SRGAN, Ledig et al. 2017); 5 minutes on one core.

    For photographs: `--data photos/ --size 128`, and a perceptual loss by
    `--set "g_terms=(L1(1.0), Perceptual('vgg16', 0.2))"`.
    """
    return replace(
        _paired("super-resolution", Downscaled(factor=4)),
        generator=SuperResolution(size=32, blocks=6),
        objective=Hinge(),
        g_terms=(L1(10.0), DiscriminatorFeatures(1.0)),
        pretrain=0.5,
    )


def pix2pix() -> Recipe:
    """pix2pix: a U-Net and a patch discriminator on pairs (Isola et al. 2017); 5 minutes on one core.

    The pairs here are coloured digits and their edges; yours are two folders, `--data "PairedFolders('a', 'b')"`, or
    images side by side, `--data "SideBySide('both')"`.
    """
    base = _paired("pix2pix", Edges(ColouredDigits()), rate=5e-4)
    return replace(base, generator=UNet(size=24, norm="batch"), g_terms=(L1(10.0), DiscriminatorFeatures(1.0)))


def colorize() -> Recipe:
    """Colorization: colour images from grey ones, which pix2pix derives itself (2017); 5 minutes on one core."""
    base = pix2pix()
    return replace(base, name="colorize", data=Grayscale(), generator=UNet(size=24, norm="batch", residual=True))


def inpaint() -> Recipe:
    """Inpainting: hidden parts of images are filled in (Pathak et al. 2016); 5 minutes on one core."""
    base = _paired("inpaint", Masked())
    return replace(base, generator=UNet(size=24, norm="none", residual=True))


def sketch() -> Recipe:
    """Drawing to image: from a line drawing that is derived from any folder of images (pix2pix, 2017); 5 minutes.

    For photographs: `--data photos/ --size 64`.
    """
    return _paired("sketch", Edges())


def next_frame() -> Recipe:
    """Next frame of a clip, sharper than by squared error (Mathieu et al. 2016); 6 minutes on one core."""
    return replace(
        _paired("next-frame", MovingDigits()),
        generator=UNet(size=24, norm="none", noise="none"),
        g_terms=(L1(50.0), GradientDifference(10.0)),
    )


def cyclegan() -> Recipe:
    """CycleGAN: two sets of images without pairs, translated both ways (Zhu et al. 2017); 4 minutes on one core.

    The sets here are reliefs of digits, lit from the upper left, and digits. Yours are two folders: `--data
    "Unpaired(Images('a', size=64), Images('b', size=64))"`.
    """
    optimiser = Adam(lr=5e-4, betas=(0.5, 0.99), schedule=Cosine(begin=0.5))
    return Recipe(
        name="cyclegan",
        data=Unpaired(Reliefs(), Digits()),
        conditional=True,
        generator=Translator(size=16, blocks=2),
        discriminator=PatchDiscriminator(size=24, norm="spectral", layers=2),
        objective=NonSaturating(),
        latent=Normal(1),
        g_terms=(IdentityMapping(5.0),),
        game=Cycle(weight=10.0),
        augment=HistoryBuffer(50),
        G_opt=optimiser,
        D_opt=optimiser,
        batch=8,
        images=4_000,
        tick=1_000,
        snapshot=2_000,
        ema=250.0,
    )


def cut() -> Recipe:
    """CUT: one set of images into another without pairs, patch by patch (Park et al. 2020); 4 minutes on one core.

    The sets are those of `cyclegan`, and yours are given in the same way.
    """
    base = cyclegan()
    return replace(
        base,
        name="cut",
        generator=Translator(size=16, blocks=2, contrast=True),
        discriminator=Blind(PatchDiscriminator(size=24, norm="spectral", layers=2)),
        g_terms=(PatchNCE(count=64), IdentityMapping(5.0)),
        game=None,
    )


def text_to_image() -> Recipe:
    """Text to image: D predicts which caption of a batch is an image's (XMC-GAN, Zhang et al. 2021); 14 minutes.

    The images are one or two coloured shapes, and captions with some pairs of a colour and a kind are held out. Yours
    are images beside captions: `--data "Captioned('images/', size=32)"`.
    """
    optimiser = Adam(lr=8e-4, betas=(0.0, 0.99), schedule=Cosine(begin=0.5))
    return Recipe(
        name="text-to-image",
        data=Scenes(count=8_000, size=24, shapes=2, cells=2),
        conditional=True,
        generator=DCGANGenerator(size=24, conditioning=Concatenate(64)),
        discriminator=DCGANDiscriminator(size=32, norm="none", conditioning=Projection()),
        objective=NonSaturating(),
        latent=Normal(64),
        d_terms=(Every(4, Scheduled(Geometric(end=0.1), R1(gamma=0.3))), MatchingAware(), Contrastive(0.5)),
        g_terms=(Scheduled(Geometric(end=0.05), Contrastive(0.3)), ModeSeeking(0.05)),
        G_opt=optimiser,
        D_opt=optimiser,
        batch=64,
        images=600_000,
        snapshot=60_000,
        ema=4_000.0,
        ema_rampup=0.2,
    )


def _paired(name: str, data: Source, rate: float = 1e-3) -> Recipe:
    """A conditional game whose samples belong to their conditions, on small images, with this learning rate."""
    optimiser = Adam(lr=rate, betas=(0.5, 0.99), schedule=Cosine(begin=0.5))
    return Recipe(
        name=name,
        data=data,
        conditional=True,
        generator=UNet(size=24, norm="none"),
        discriminator=PatchDiscriminator(size=24, norm="spectral", layers=2),
        objective=NonSaturating(),
        latent=Normal(16),
        g_terms=(L1(20.0), DiscriminatorFeatures(1.0)),
        G_opt=optimiser,
        D_opt=optimiser,
        batch=32,
        images=40_000,
        snapshot=10_000,
        ema=2_000.0,
    )
