"""Store and restore the condition of a run's networks."""

__all__ = ()

from collections.abc import Mapping
from typing import Any, TypeGuard

from torch import Tensor

from zerosum.conditions.condition import Condition
from zerosum.recipes.reader import Known, vocabulary
from zerosum.recipes.recipe import Recipe

CONDITION = "condition"  # a generator's fact; with a slash, the prefix of its tensors


def condition_of(recipe: Recipe, condition: Condition | None) -> Condition | None:
    """The condition of the recipe's networks, for data with such a condition.

    Raises `ValueError` for label dropout if the kind has no value for an unknown condition.
    """
    if not recipe.conditional or condition is None:
        return None
    return condition.with_unknown() if recipe.label_dropout else condition


def condition_facts(condition: Condition | None) -> dict[str, Any]:
    """The metadata of a condition in a file; empty without one."""
    return {} if condition is None else {CONDITION: {"kind": type(condition).__name__, "facts": condition.facts}}


def restored_condition(facts: Mapping[str, Any], state: Mapping[str, Tensor], known: Known) -> Condition | None:
    """The condition restored from a file's facts, checked by `check_facts`, and its tensors; None without one.

    `known` are custom classes by name. Raises `ValueError` when the kind is unknown or the facts do not fit.
    """
    if CONDITION not in facts:
        return None
    name = facts[CONDITION]["kind"]
    kind = {**vocabulary(), **known}.get(name)
    if kind is None:
        raise ValueError(f"unknown class {name!a:.80}: if it is yours, pass --use FILE.py (or known= in Python)")
    if not _is_kind(kind):
        raise ValueError(f"its condition should be of a kind of condition; found {name!a:.80}")
    try:
        condition = kind.restored(facts[CONDITION]["facts"], state)
    except (KeyError, TypeError) as error:
        raise ValueError(f"its condition cannot be restored as {name}: {error}") from None
    return condition


def _is_kind(value: Any) -> TypeGuard[type[Condition]]:
    """Whether a value is a class of conditions."""
    return isinstance(value, type) and Condition in value.__mro__
