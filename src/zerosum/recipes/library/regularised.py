"""Regularised discriminators (gradient penalties, LeCam)."""

from dataclasses import replace

from zerosum.objectives.wasserstein import Hinge
from zerosum.recipes.library._bases import without_norm
from zerosum.recipes.recipe import Recipe
from zerosum.terms.gradient_penalties import Dragan, RothRegularizer
from zerosum.terms.lecam import LeCam


def dragan() -> Recipe:
    """DRAGAN: gradient penalty on noisy real samples (Kodali et al. 2017); 6 minutes on one core.

    The gradient norm of 1 of the paper's code, for data in [0, 1], is 0.5 for data in [-1, 1]. Limited quality: eight
    digits are present after 60,000 images.
    """
    return replace(without_norm(), name="dragan", d_terms=(Dragan(target=0.5),))


def roth() -> Recipe:
    """Jensen-Shannon regulariser: gradient penalty equivalent to noise (Roth et al. 2017); 7 minutes on one core."""
    return replace(without_norm(), name="roth", d_terms=(RothRegularizer(gamma=1.0),))


def lecam() -> Recipe:
    """LeCam: pulls D's scores towards running means, for small data (Tseng et al. 2021); 5 minutes on one core.

    By the equation of the paper; the authors' code, on scores on the far side of the other mean only, is `LeCam()`.
    """
    base = without_norm()
    penalty = LeCam(weight=0.1, decay=0.99, one_sided=False)
    return replace(base, name="lecam", objective=Hinge(), d_terms=(*base.d_terms, penalty))
