"""Games whose discriminator is held by a penalty on its slope or its scores."""

from dataclasses import replace

from zerosum.objectives.wasserstein import Hinge
from zerosum.recipes.library._bases import without_norm
from zerosum.recipes.recipe import Recipe
from zerosum.terms.gradient_penalties import Dragan, RothRegularizer
from zerosum.terms.lecam import LeCam


def dragan() -> Recipe:
    """The slope of D is held near real samples, where games oscillate (Kodali et al. 2017); 6 minutes on one core.

    Not there yet: every digit is present, and 36 % of samples read with confidence.
    """
    return replace(without_norm(), name="dragan", d_terms=(Dragan(),))


def roth() -> Recipe:
    """D's slope is held where D is unsure, as noise would hold it (Roth et al. 2017); 7 minutes on one core."""
    return replace(without_norm(), name="roth", d_terms=(RothRegularizer(gamma=1.0),))


def lecam() -> Recipe:
    """D's scores are drawn to averages, which helps where data are few (Tseng et al. 2021); 5 minutes on one core."""
    base = without_norm()
    return replace(base, name="lecam", objective=Hinge(), d_terms=(*base.d_terms, LeCam(weight=0.1)))
