"""How two recipes differ, in words."""

__all__ = ()

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from zerosum.recipes.fit import shortened
from zerosum.recipes.recipe import Recipe, flat

_SHOWN = 3


def differing(before: Any, after: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield the smallest parts in which two values differ: path, as `D_opt.lr`, value before, value after."""
    if before == after:
        return
    if is_dataclass(before) and type(before) is type(after):
        for f in fields(before):
            if f.compare:
                place = f"{path}.{f.name}" if path else f.name
                yield from differing(getattr(before, f.name), getattr(after, f.name), place)
    elif isinstance(before, tuple) and isinstance(after, tuple) and len(before) == len(after):
        for number, pair in enumerate(zip(before, after, strict=True)):
            yield from differing(*pair, f"{path}[{number}]")
    else:
        yield path, before, after


def differences(before: Recipe, after: Recipe) -> str:
    """Describe the first three differences of two recipes, and how many more there are."""
    found = [
        f"{path} was {shortened(flat(old))}, is {shortened(flat(new))}" for path, old, new in differing(before, after)
    ]
    more = len(found) - _SHOWN
    return "; ".join(found[:_SHOWN]) + (f"; and {more} more" if more > 0 else "")
