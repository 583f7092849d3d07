"""Finding recipes by name."""

import difflib
import inspect
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass

from zerosum._rooms import public
from zerosum.recipes.recipe import Recipe


def catalogue() -> dict[str, Callable[[], Recipe]]:
    """The named recipes: the public functions of this room that take nothing and return a `Recipe`."""
    made: dict[str, Callable[[], Recipe]] = {}
    for function in public("zerosum.recipes").values():
        if inspect.isfunction(function):
            signature = inspect.signature(function)
            if not signature.parameters and signature.return_annotation is Recipe:
                made[function.__name__.replace("_", "-")] = function
    return made


@dataclass(frozen=True, eq=False)
class About:
    """What a named recipe says of itself.

    Attributes:
        group: what the recipes of its file have in common, a sentence without its stop.
        year: of the paper it follows; None for those that follow none.
        line: what it is and when to take it, with the paper.
    """

    group: str
    year: int | None
    line: str


def about(make: Callable[[], Recipe]) -> About:
    """Read a recipe's docstring, and that of its file."""
    line = (inspect.getdoc(make) or "").partition("\n")[0]
    year = re.search(r"\b(20\d\d)\b", line)
    group = (inspect.getdoc(sys.modules[make.__module__]) or "").partition("\n")[0]
    return About(group.rstrip("."), int(year[1]) if year else None, line)


def named(name: str) -> Recipe:
    """The recipe of a name; raises `ValueError`, with the likely ones, where there is none."""
    recipes = catalogue()
    if name not in recipes:
        close = difflib.get_close_matches(name, list(recipes), n=3) or list(recipes)
        raise ValueError(f"no recipe is called {name!r}; there is {', '.join(close)} (see zerosum recipes)")
    return recipes[name]()
