"""Finding recipes by name."""

import difflib
import inspect
from collections.abc import Callable

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


def named(name: str) -> Recipe:
    """The recipe of a name; raises `ValueError`, with the likely ones, where there is none."""
    recipes = catalogue()
    if name not in recipes:
        close = difflib.get_close_matches(name, list(recipes), n=3) or list(recipes)
        raise ValueError(f"no recipe is called {name!r}; there is {', '.join(close)} (see zerosum recipes)")
    return recipes[name]()
