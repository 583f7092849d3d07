"""The symptoms of a run over time: what would have been diagnosed after each check-up."""

__all__ = ()

from collections.abc import Mapping, Sequence
from typing import Any

from zerosum.diagnostics.diagnose import Diagnosis, diagnose
from zerosum.diagnostics.signals.names import SIGNAL
from zerosum.recipes.recipe import Recipe

_CHECK_UP = SIGNAL + "arbiter"  # of samples alone, so in the line of a check-up, and in no other


def history(log: Sequence[Mapping[str, Any]], recipe: Recipe) -> list[Diagnosis]:
    """The diagnosis after each check-up in a log."""
    places = [place for place, line in enumerate(log) if _CHECK_UP in line]
    return [diagnose(log[: place + 1], recipe) for place in places]
