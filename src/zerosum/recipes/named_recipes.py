"""Find recipes by name."""

import difflib
import inspect
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass

from zerosum._rooms import public
from zerosum.recipes.recipe import Recipe


def catalogue() -> dict[str, Callable[[], Recipe]]:
    """Return the named recipes: the public functions of this room without parameters that return a `Recipe`."""
    made: dict[str, Callable[[], Recipe]] = {}
    for function in public("zerosum.recipes").values():
        if inspect.isfunction(function):
            signature = inspect.signature(function)
            if not signature.parameters and signature.return_annotation is Recipe:
                made[function.__name__.replace("_", "-")] = function
    return made


@dataclass(frozen=True, eq=False)
class About:
    """Description of a named recipe.

    Attributes:
        group: title of its group, from the docstring of its file, without the full stop.
        year: publication year of its paper; None without a paper.
        line: one-line description with the paper.
    """

    group: str
    year: int | None
    line: str


def about(make: Callable[[], Recipe]) -> About:
    """Return the description of a recipe, from its docstring and that of its file."""
    line = (inspect.getdoc(make) or "").partition("\n")[0]
    year = re.search(r"\b(20\d\d)\b", line)
    group = (inspect.getdoc(sys.modules[make.__module__]) or "").partition("\n")[0]
    return About(group.rstrip("."), int(year[1]) if year else None, line)


def named(name: str) -> Recipe:
    """Return the recipe of a name, in any capitals; raise `ValueError`, with similar names, if there is none."""
    recipes = catalogue()
    name = name if name in recipes else name.lower().replace("_", "-")
    if name not in recipes:
        close = difflib.get_close_matches(name, list(recipes), n=3)
        hint = f"did you mean {' or '.join(close)}?" if close else f"there are {', '.join(recipes)}"
        raise ValueError(f"no recipe is called {name!r}; {hint} (see zerosum recipes)")
    return recipes[name]()
