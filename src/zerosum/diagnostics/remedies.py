"""Changes of a recipe that help against a symptom, as settings `KEY=VALUE` for this very recipe.

A remedy is a function of a `Patient` that returns its settings, or None where it does not apply: the recipe lacks what
it would change, or has it already.
"""

__all__ = ()

from dataclasses import fields, is_dataclass, replace
from functools import partial
from typing import Any

from zerosum.conditions.image import Image
from zerosum.diagnostics.patient import Patient
from zerosum.diagnostics.rates import Settings, are_unusual, balanced_rates, has, no_momentum, number, optimisers
from zerosum.game.player import Term, Wrapper, unwrapped
from zerosum.networks.blind import Blind
from zerosum.networks.conditioning import Auxiliary, Discriminative
from zerosum.networks.minibatch import MinibatchStddev
from zerosum.networks.packed import Packed
from zerosum.objectives.energy import BoundaryEquilibrium, EnergyBased
from zerosum.objectives.kernel import MMD
from zerosum.objectives.logistic import Minimax, NonSaturating
from zerosum.objectives.relativistic import Relativistic
from zerosum.objectives.wasserstein import Hinge, Wasserstein
from zerosum.recipes.optimisers import Adam
from zerosum.recipes.own_networks import OwnDiscriminator, discriminator_spec
from zerosum.recipes.recipe import flat
from zerosum.terms.auxiliary import AuxiliaryClass, DiscriminativeClass
from zerosum.terms.contrastive import Contrastive
from zerosum.terms.gradient_penalties import R1, R2, GradientPenalty
from zerosum.terms.matching_aware import MatchingAware
from zerosum.terms.mode_seeking import ModeSeeking
from zerosum.terms.schedules import Every
from zerosum.terms.weight_clipping import WeightClip

_BATCH_NORMS = ("batch", "virtual")  # with which a penalty would not be that of a sample
_OF_CONDITIONS = (MatchingAware, AuxiliaryClass, DiscriminativeClass, Contrastive)
_NARROWEST = 4  # width of a discriminator
_STRENGTHS = ("gamma", "weight")


def non_saturating(patient: Patient) -> Settings | None:
    """The non-saturating loss in place of minimax."""
    objective = patient.recipe.objective
    if not isinstance(objective, Minimax):
        return None
    return (f"objective={flat(NonSaturating(objective.real_label))}",)


def stronger_penalty(patient: Patient, factor: float = 10.0) -> Settings | None:
    """Multiply the gradient penalties of D; where there is none, none is added."""
    if not patient.penalties:
        return None
    terms = (scaled(term, factor) if term in patient.penalties else term for term in patient.recipe.d_terms)
    return (f"d_terms={flat((*terms,))}",)


weaker_penalty = partial(stronger_penalty, factor=0.1)


def penalty_at_every_update(patient: Patient) -> Settings | None:
    """Apply lazy penalties at every update of D."""
    lazy = [term for term in patient.penalties if isinstance(term, Every) and term.n > 1]
    if not lazy:
        return None
    terms = (term.term if isinstance(term, Every) and term in lazy else term for term in patient.recipe.d_terms)
    return (f"d_terms={flat((*terms,))}",)


def penalty(patient: Patient) -> Settings | None:
    """Add a gradient penalty where there is none, and take away what it does not go with.

    That is batch norm, clipping, and momentum: on the ring R1 found no mode with it, and all without (lab notes).
    """
    recipe = patient.recipe
    if patient.penalties or not patient.trains_D or not patient.free("d_terms"):
        return None
    if isinstance(recipe.objective, BoundaryEquilibrium | EnergyBased):
        return None  # a score is minus an error of reconstruction, whose gradient at a sample has no meaning by itself
    new: tuple[Term, ...]
    if isinstance(recipe.objective, Wasserstein):
        new = (GradientPenalty(weight=10.0 if patient.is_image else 1.0),)
    else:  # a relativistic game needs both (Huang et al. 2024, arXiv 2501.05441)
        kinds = (R1, R2) if isinstance(recipe.objective, Relativistic) else (R1,)
        new = tuple(Every(8, kind(1.0)) if len(patient.shape) == 3 else kind(0.1) for kind in kinds)
    freed = (*_without_batch_norm(patient), *_unclipped(patient), *(no_momentum(patient) or ()))
    return (f"d_terms={flat((*recipe.d_terms, *new))}", *freed)


def clipping_to_penalty(patient: Patient) -> Settings | None:
    """A gradient penalty in place of weight clipping, and Adam in place of the optimisers that go with clipping."""
    found = penalty(patient) if isinstance(patient.recipe.d_after, WeightClip) else None
    others = [name for name, one in optimisers(patient).items() if not isinstance(one, Adam)]
    return None if found is None else (*found, *(f"{name}=Adam(lr=0.0005, betas=(0.0, 0.9))" for name in others))


def steady(patient: Patient) -> Settings | None:
    """All at once that steady games have and this one lacks: the objective, a wide enough D, rates, and a penalty.

    A critic under clipping becomes a discriminator under R1, which is steady at more settings than one under a gradient
    penalty (Kurach et al. 2019, and lab notes).
    """
    recipe, objective = patient.recipe, non_saturating(patient)
    if isinstance(recipe.objective, Wasserstein):
        other = replace(patient, recipe=replace(recipe, objective=NonSaturating()))
        if clipping_to_penalty(other) is not None:
            objective, patient = (f"objective={flat(NonSaturating())}",), other
    rates = balanced_rates(patient, ratio=1.0) if are_unusual(patient) else None
    wide = size_of_D(patient, 1.0)
    damped = clipping_to_penalty(patient) or penalty(patient)
    return tuple(setting for found in (objective, wide, damped, rates) for setting in found or ()) or None


def clip(patient: Patient, wide: bool) -> Settings | None:
    """A limit of a tenth where it is wide, above the 0.01 of the paper, or of ten times where it is not."""
    after, usual = patient.recipe.d_after, WeightClip().limit
    if not isinstance(after, WeightClip) or (after.limit > usual) != wide:
        return None
    return (f"d_after={flat(WeightClip(float(number(after.limit * (0.1 if wide else 10)))))}",)


def noise(patient: Patient) -> Settings | None:
    """Gaussian noise on what D sees, less and less."""
    if patient.recipe.augment is not None or not patient.trains_D or not patient.free("augment") or patient.coded:
        return None
    return (f"augment=InstanceNoise(sigma={0.3 if patient.is_image else 0.1})",)


def augmentation(patient: Patient) -> Settings | None:
    """Adaptive augmentation of what D sees, of images whose condition is no image."""
    recipe = patient.recipe
    if recipe.augment is not None or not patient.trains_D or not patient.is_image or not patient.free("augment"):
        return None
    if isinstance(patient.condition, Image) or isinstance(recipe.objective, MMD):
        return None
    return (f"augment=AdaptiveAugment(pipeline='bg', images={max(recipe.images // 5, 1)}, limit=0.8)",)


def size_of_D(patient: Patient, factor: float) -> Settings | None:
    """A wider or narrower discriminator: as wide as G at least, if it has at most a quarter of G's width.

    With a factor of 1 it is None for a D that is not as narrow.
    """
    hidden, size = patient.discriminator("hidden"), patient.discriminator("size")
    found = size if hidden is None or hidden[1] is None else hidden
    if not patient.trains_D or found is None or isinstance(patient.recipe.discriminator, OwnDiscriminator):
        return None
    path, before = found
    after = tuple(_times(width, factor) for width in before) if isinstance(before, tuple) else _times(before, factor)
    of_G = _width_of_G(patient, path.rpartition(".")[2])
    if factor >= 1 and of_G is not None and _widest(before) <= _widest(of_G) / 4:
        after = of_G if _widest(of_G) > _widest(after) else after
    return None if after == before else (f"{path}={after}",)


def minibatch(patient: Patient) -> Settings | None:
    """Minibatch standard deviation in D."""
    found, recipe = patient.discriminator("minibatch"), patient.recipe
    if found is None or found[1] is not None or not patient.free("discriminator"):
        return None
    if any(isinstance(unwrapped(term), Contrastive) for term in (*recipe.d_terms, *recipe.g_terms)):
        return None  # it compares embeddings with the features of a sample, which have no statistic of the batch
    return (f"{found[0]}={flat(MinibatchStddev())}",)


def packing(patient: Patient) -> Settings | None:
    """D scores samples in pairs."""
    recipe, heads = patient.recipe, patient.discriminator("auxiliary")
    plain = heads is not None and not heads[1] and recipe.game is None and not recipe.conditional
    if not plain or not patient.trains_D or isinstance(recipe.discriminator, Packed) or recipe.batch % 2:
        return None
    return (f"discriminator={brief(Packed(discriminator_spec(recipe.discriminator)))}",)


def mode_seeking(patient: Patient) -> Settings | None:
    """A term of G for samples that differ as their latents do."""
    recipe = patient.recipe
    if recipe.game is not None or any(isinstance(unwrapped(term), ModeSeeking) for term in recipe.g_terms):
        return None
    return (f"g_terms={flat((*recipe.g_terms, ModeSeeking(0.05)))}",)


def unrolling(patient: Patient) -> Settings | None:
    """G trains against D five updates ahead; for points, where its cost is small."""
    if patient.recipe.opponent is not None or len(patient.shape) > 1 or not patient.trains_D:
        return None
    return ("opponent=Unrolled(k=5)",) if patient.free("opponent") else None


def matching_aware(patient: Patient) -> Settings | None:
    """Real samples with mismatched conditions as further negatives of D."""
    recipe = patient.recipe
    usable = isinstance(recipe.objective, NonSaturating | Minimax | Hinge) and recipe.conditional and patient.trains_D
    heads = patient.discriminator("conditioning")
    reads = heads is not None and not isinstance(heads[1], Auxiliary | Discriminative)
    blind = any(isinstance(part, Blind) for _, part in patient.discriminators)
    if not usable or not reads or not patient.free("d_terms") or blind:
        return None
    if any(isinstance(unwrapped(term), MatchingAware) for term in recipe.d_terms):
        return None
    dropout = ("label_dropout=0.0",) if recipe.label_dropout else ()
    return (f"d_terms={flat((*recipe.d_terms, MatchingAware(recipe.objective)))}", *dropout)


def stronger_condition(patient: Patient) -> Settings | None:
    """The terms by which a condition counts, three times as heavy for both players."""
    found = {}
    for name in ("d_terms", "g_terms"):
        terms = getattr(patient.recipe, name)
        if any(isinstance(unwrapped(term), _OF_CONDITIONS) for term in terms):
            new = (scaled(term, 3.0) if isinstance(unwrapped(term), _OF_CONDITIONS) else term for term in terms)
            found[name] = f"{name}={flat((*new,))}"
    return tuple(found.values()) or None


def always_known(patient: Patient) -> Settings | None:
    """Conditions that are always given."""
    return ("label_dropout=0.0",) if patient.recipe.label_dropout else None


def brief(value: object) -> str:
    """A value as recipe text without the fields that are at their defaults."""
    if isinstance(value, tuple):
        return f"({', '.join(map(brief, value))}{',' * (len(value) == 1)})"
    if not is_dataclass(value) or isinstance(value, type):
        return repr(value)
    shown = [f for f in fields(value) if f.init and f.repr and getattr(value, f.name) != f.default]
    return f"{type(value).__name__}({', '.join(f'{f.name}={brief(getattr(value, f.name))}' for f in shown)})"


def scaled(term: Term, factor: float) -> Term:
    """A term with its strength multiplied, within its wrappers."""
    if isinstance(term, Wrapper):
        return replace(term, term=scaled(term.term, factor))  # type: ignore[type-var]
    name = next(name for name in _STRENGTHS if has(term, name))
    return replace(term, **{name: float(number(getattr(term, name) * factor))})  # type: ignore[type-var]


def _width_of_G(patient: Patient, name: str) -> Any:
    """The width of a G of D's family; None for another."""
    G, Ds = patient.recipe.generator, (part for _, part in patient.discriminators)
    family = type(G).__name__.removesuffix("Generator")
    alike = any(type(D).__name__.removesuffix("Discriminator") == family for D in Ds)
    return getattr(G, name, None) if alike else None


def _widest(width: Any) -> float:
    return max(width, default=0) if isinstance(width, tuple) else width


def _times(width: int, factor: float) -> int:
    return max(int(width * factor), min(width, _NARROWEST))


def _without_batch_norm(patient: Patient) -> Settings:
    norm = patient.discriminator("norm")
    return (f"{norm[0]}=none",) if norm is not None and norm[1] in _BATCH_NORMS else ()


def _unclipped(patient: Patient) -> Settings:
    return () if patient.recipe.d_after is None else ("d_after=None",)
