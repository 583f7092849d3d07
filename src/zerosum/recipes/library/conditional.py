"""Games in which one asks for what a sample shall be."""

from dataclasses import replace

from zerosum.game.codes import InfoGANLatent
from zerosum.game.latents import Normal
from zerosum.networks.conditioning import Auxiliary, Concatenate, ConditionalNorm, Discriminative, Projection
from zerosum.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from zerosum.objectives.wasserstein import Hinge
from zerosum.recipes.library._bases import with_norm
from zerosum.recipes.library.classics import digits
from zerosum.recipes.recipe import Recipe
from zerosum.terms.auxiliary import AuxiliaryClass, DiscriminativeClass, MutualInformation
from zerosum.terms.gradient_penalties import R1
from zerosum.terms.matching_aware import MatchingAware
from zerosum.terms.schedules import Every


def cgan() -> Recipe:
    """The label is concatenated: the first conditional game (Mirza and Osindero 2014); 5 minutes on one core.

    In D it joins late, where Reed et al. 2016 let it: at the picture itself, 88 % of samples had the class asked for.
    And as theirs, D sees wrong labels on real samples, without which it overlooks labels where classes are many.
    """
    base = digits()
    return replace(
        base,
        name="cgan",
        generator=DCGANGenerator(size=32, conditioning=Concatenate(32)),
        discriminator=DCGANDiscriminator(size=32, norm="none", conditioning=Concatenate(64)),
        d_terms=(*base.d_terms, MatchingAware()),
        images=240_000,
    )


def acgan() -> Recipe:
    """D is not told the class and has to read it; G is to be read (Odena et al. 2017); 5 minutes on one core.

    D learns to read from real samples alone: from generated ones too, as in the paper, the players agree on marks of
    their own. And the label sets G's norms: beside the latent, it is all that G makes use of (docs/lab-notes.md). It
    favours what is easily read; `adcgan` does not.
    """
    return replace(
        digits(),
        name="acgan",
        generator=DCGANGenerator(size=32, conditioning=ConditionalNorm()),
        discriminator=DCGANDiscriminator(size=32, norm="none", conditioning=Auxiliary()),
        objective=Hinge(),
        d_terms=(Every(8, R1(gamma=1.0)), AuxiliaryClass(generated=False)),
        g_terms=(AuxiliaryClass(),),
    )


def adcgan() -> Recipe:
    """D reads the class, and whether a real sample of it or a generated one (Hou et al. 2022); 5 minutes on one core.

    Take it for many classes: on 26 letters 91 % of samples have the class asked for, and 85 % of `acgan`'s.
    """
    return replace(
        acgan(),
        name="adcgan",
        discriminator=DCGANDiscriminator(size=32, norm="none", conditioning=Discriminative()),
        d_terms=(Every(8, R1(gamma=1.0)), DiscriminativeClass()),
        g_terms=(DiscriminativeClass(),),
    )


def projection() -> Recipe:
    """The label projects D's features and sets G's norms (Miyato and Koyama 2018); 4 minutes on one core."""
    return replace(
        digits(),
        name="projection",
        generator=DCGANGenerator(size=32, conditioning=ConditionalNorm()),
        discriminator=DCGANDiscriminator(size=32, norm="none", conditioning=Projection()),
        objective=Hinge(),
    )


def infogan() -> Recipe:
    """Part of the latent becomes a code that can be read off the samples (Chen et al. 2016); 6 minutes on one core."""
    term = MutualInformation(categories=(10,), continuous=2)
    return replace(
        with_norm(),
        name="infogan",
        discriminator=DCGANDiscriminator(size=32, auxiliary=term.outputs),
        latent=InfoGANLatent(Normal(62), categories=(10,), continuous=2),
        d_terms=(term,),
        g_terms=(term,),
    )
