"""The games of `benchmarks.quality.doctor`: healthy ones, and illnesses put into them as settings.

Each illness names the symptoms that describe it. Some are slight: rates three times too high, a narrow discriminator,
a few samples. `ColouredDigits` are in one subject alone, which is kept out: no threshold was chosen on it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import reduce

from zerosum.data.sources.digits import Digits
from zerosum.data.toys.coloured_digits import ColouredDigits
from zerosum.data.toys.gaussians import Ring
from zerosum.game.latents import Normal
from zerosum.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from zerosum.networks.mlp import MLPDiscriminator, MLPGenerator
from zerosum.objectives.logistic import NonSaturating
from zerosum.objectives.relativistic import Relativistic
from zerosum.recipes.optimisers import Adam
from zerosum.recipes.recipe import Recipe
from zerosum.recipes.settings import with_setting
from zerosum.terms.gradient_penalties import R1, R2
from zerosum.terms.schedules import Every

_POINTS, _IMAGES = 64_000, 16_000  # training length: 1,000 updates of G, after which every symptom may be certain


def points() -> Recipe:
    """Eight Gaussians on a ring, small MLPs."""
    adam = Adam(lr=5e-3, betas=(0.0, 0.99))
    return Recipe(
        name="points", data=Ring(std=0.1), generator=MLPGenerator(hidden=(64, 64)),
        discriminator=MLPDiscriminator(hidden=(64, 64)), objective=NonSaturating(), latent=Normal(8),
        d_terms=(R1(0.1),), G_opt=adam, D_opt=adam, batch=64, images=_POINTS, ema=4_000.0, tick=1_600,
        snapshot=_POINTS,
    )  # fmt: skip


def digits() -> Recipe:
    """Digits, small convolutional networks."""
    adam = Adam(lr=2e-3, betas=(0.0, 0.99))
    return Recipe(
        name="digits", data=Digits(), generator=DCGANGenerator(size=8),
        discriminator=DCGANDiscriminator(size=8, norm="none"), objective=NonSaturating(), latent=Normal(32),
        d_terms=(Every(4, R1(1.0)),), G_opt=adam, D_opt=adam, batch=16, images=_IMAGES, ema=1_000.0, tick=400,
        snapshot=_IMAGES, precision="float32",
    )  # fmt: skip


def coloured() -> Recipe:
    """Coloured digits under the relativistic objective."""
    return replace(
        digits(), name="coloured", data=ColouredDigits(), generator=DCGANGenerator(size=16),
        discriminator=DCGANDiscriminator(size=16, norm="none"), objective=Relativistic(),
        d_terms=(Every(4, R1(0.1)), Every(4, R2(0.1))),
    )  # fmt: skip


@dataclass(frozen=True)
class Subject:
    """A game, and whether it is kept out while thresholds are chosen."""

    recipe: Recipe
    kept_out: bool = False


SUBJECTS: Mapping[str, Subject] = {
    "points": Subject(points()),
    "digits": Subject(digits()),
    "coloured": Subject(coloured(), kept_out=True),
}

# Healthy games besides the subjects themselves, as settings of one.
HEALTHY: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "points": {
        "hinge": ("objective=Hinge()",),
        "wasserstein": ("objective=Wasserstein()", "d_terms=(GradientPenalty(1.0),)"),
        "relativistic": ("objective=Relativistic()", "d_terms=(R1(0.1), R2(0.1))"),
        "least-squares": ("objective=LeastSquares()",),
        "mmd": (
            *("d_terms=()", "objective=MMD(GaussianKernel((0.1, 0.3, 1.0, 3.0)))"),
            *("n_critic=0", "discriminator=IdentityDiscriminator()"),
        ),
    },
    "digits": {
        "hinge": ("objective=Hinge()",),
        "wasserstein": ("objective=Wasserstein()", "d_terms=(GradientPenalty(10.0),)"),
        "began": ("objective=BoundaryEquilibrium(0.9)", "d_terms=()", "generator.size=16", "images=48_000",
                  "discriminator=AutoEncoderDiscriminator(size=16, code=32, error='squared')",
                  "G_opt.lr=1e-3", "D_opt.lr=1e-3"),
    },
    "coloured": {"hinge": ("objective=Hinge()", "d_terms=(Every(4, R1(1.0)),)")},
}  # fmt: skip


@dataclass(frozen=True)
class Illness:
    """What is wrong with a game, as settings of a recipe, and the symptoms that describe it."""

    settings: Callable[[Recipe], tuple[str, ...]]
    symptoms: frozenset[str]


def _rates(recipe: Recipe, G: float, D: float) -> tuple[str, ...]:
    optimisers = {"G_opt": (recipe.G_opt, G), "D_opt": (recipe.D_opt, D)}
    return tuple(f"{name}.lr={one.lr * by:g}" for name, (one, by) in optimisers.items())  # type: ignore[attr-defined]


def _few(recipe: Recipe) -> tuple[str, ...]:
    return ("data.count=200",) if isinstance(recipe.data, Ring) else (f"data=FewLabels({recipe.data!r}, per_class=20)",)


def _narrow(recipe: Recipe) -> tuple[str, ...]:
    return ("discriminator.hidden=(4,)",) if isinstance(recipe.data, Ring) else ("discriminator.size=2",)


def _clipped(limit: float) -> Callable[[Recipe], tuple[str, ...]]:
    return lambda _: ("objective=Wasserstein()", "d_terms=()", f"d_after=WeightClip({limit})")


_UNSTABLE = {"divergence", "oscillation", "mode-hopping", "mode-collapse", "unbalanced-rates", "dead-layers"}
_UNTAUGHT = {"vanishing-gradients", "mean-image", "unbalanced-rates"}
ILLNESSES: Mapping[str, Illness] = {
    "saturating loss, D ahead": Illness(
        lambda r: ("objective=Minimax()", "d_terms=()", *_rates(r, 0.3, 3)), frozenset(_UNTAUGHT)
    ),
    "no penalty, G ahead": Illness(
        lambda r: ("d_terms=()", "G_opt.betas=(0.5, 0.999)", *_rates(r, 10, 1)),
        frozenset({*_UNSTABLE, "weak-discriminator"}),
    ),
    "rates x 30": Illness(lambda r: _rates(r, 30, 30), frozenset({*_UNSTABLE, *_UNTAUGHT})),
    "rates x 3, no penalty": Illness(lambda r: ("d_terms=()", *_rates(r, 3, 3)), frozenset({*_UNSTABLE, *_UNTAUGHT})),
    "narrow D": Illness(_narrow, frozenset({"weak-discriminator", "mode-collapse", "mode-hopping", "mean-image"})),
    "200 samples": Illness(
        _few, frozenset({"overfitting-discriminator", "memorised-samples", "data-trouble", "vanishing-gradients"})
    ),
    "clip too tight": Illness(_clipped(0.001), frozenset({"saturated-clipping", "weak-discriminator", *_UNTAUGHT})),
    "clip too wide": Illness(_clipped(5.0), frozenset({"saturated-clipping", *_UNSTABLE, *_UNTAUGHT})),
}


def changed(recipe: Recipe, settings: tuple[str, ...], seed: int) -> Recipe:
    """The recipe with settings and a seed."""
    return replace(reduce(with_setting, settings, recipe), seed=seed)
