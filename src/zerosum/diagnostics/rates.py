"""Changes of the pace of a game: learning rates, momentum, updates of D, and the average of G.

A remedy is a function of a `Patient` that returns its settings `KEY=VALUE`, or None where it does not apply.
"""

__all__ = ()

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any

from zerosum.diagnostics.patient import Patient
from zerosum.recipes.recipe import flat
from zerosum.terms.schedules import Constant, Cosine

_LARGE = 0.01  # learning rate
_USUAL = (2e-3 * 6e-3) ** 0.5  # a geometric mean of rates, at most

Settings = tuple[str, ...]


Remedy = Callable[[Patient], Settings | None]


def number(value: float) -> str:
    """A value with three digits, as recipe text."""
    return f"{value:.3g}"


def scaled_rates(patient: Patient, G: float = 1.0, D: float = 1.0) -> Settings | None:
    """Multiply learning rates."""
    recipe = patient.recipe
    if (D != 1 and not patient.trains_D) or not all(has(getattr(recipe, f"{o}_opt"), "lr") for o in "GD"):
        return None
    if recipe.game is not None and G != D:
        return None  # of another game the two may be the optimisers of both directions
    changes = {"G_opt": G, "D_opt": D if patient.trains_D else 1.0}
    return tuple(f"{name}.lr={number(getattr(recipe, name).lr * by)}" for name, by in changes.items() if by != 1)


def balanced_rates(patient: Patient, ratio: float = 3.0) -> Settings | None:
    """D `ratio` times as fast as G, at the geometric mean of their rates: which of them is wrong is not known.

    The mean is at most 3.46e-3. None where the ratio is nearly so, and no rate is large.
    """
    found = _two_rates(patient)
    if found is None or (0.5 * ratio <= found[1] / found[0] <= 2 * ratio and max(found) <= _LARGE):
        return None
    slow = min((found[0] * found[1]) ** 0.5, _USUAL) / ratio**0.5
    return (f"G_opt.lr={number(slow)}", f"D_opt.lr={number(ratio * slow)}")


def no_momentum(patient: Patient) -> Settings | None:
    """Adam without momentum in the first moment."""
    names = [name for name, one in optimisers(patient).items() if getattr(one, "betas", (0.0,))[0] > 0]
    return tuple(f"{name}.betas=(0.0, 0.99)" for name in names) or None


def falling_rates(patient: Patient) -> Settings | None:
    """Learning rates that fall to 0 in the second half of the run."""
    steady = [name for name, one in optimisers(patient).items() if getattr(one, "schedule", None) == Constant()]
    return tuple(f"{name}.schedule={flat(Cosine(begin=0.5))}" for name in steady) or None


def longer_average(patient: Patient) -> Settings | None:
    """A moving average of G over a tenth of the run."""
    recipe, wanted = patient.recipe, patient.recipe.images / 10
    if not patient.free("ema") or recipe.ema >= wanted / 2:
        return None
    return (f"ema={number(wanted)}",)


def updates_of_D(patient: Patient, more: bool) -> Settings | None:
    """Five updates of D for each of G, or one."""
    recipe = patient.recipe
    if not patient.trains_D or not patient.free("n_critic") or (recipe.n_critic >= 5 if more else recipe.n_critic == 1):
        return None
    return ("n_critic=5",) if more else ("n_critic=1",)


def optimisers(patient: Patient) -> dict[str, Any]:
    names = ("G_opt", "D_opt") if patient.trains_D else ("G_opt",)
    return {name: getattr(patient.recipe, name) for name in names}


def _two_rates(patient: Patient) -> tuple[float, float] | None:
    """The learning rates of G and D; None where not both have one, or of games that are no game of the two."""
    recipe = patient.recipe
    if not patient.trains_D or recipe.game is not None or not all(has(o, "lr") for o in (recipe.G_opt, recipe.D_opt)):
        return None
    return recipe.G_opt.lr, recipe.D_opt.lr  # type: ignore[attr-defined]


def are_unusual(patient: Patient) -> bool:
    """Whether a rate is far larger than those of the recipes, or the two are far apart."""
    found = _two_rates(patient)
    return found is not None and (max(found) > _LARGE or not 1 / 3 <= found[1] / found[0] <= 6)


def has(value: object, name: str) -> bool:
    return is_dataclass(value) and any(f.name == name for f in fields(value))
