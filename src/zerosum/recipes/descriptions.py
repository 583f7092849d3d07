"""What recipe text may name, as the parts describe themselves: by room, with signature and summary."""

__all__ = ()

import difflib
import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields

from zerosum.recipes.reader import ROOMS, vocabulary


def parts_by_room() -> dict[str, list[type]]:
    """The constructors that recipe text may name, by room; a room without any is left out."""
    found = {room: [k for k in vocabulary().values() if k.__module__.startswith(f"zerosum.{room}.")] for room in ROOMS}
    return {room: sorted(kinds, key=lambda kind: kind.__name__) for room, kinds in found.items() if kinds}


def part_named(name: str) -> type:
    """The constructor of a name; raises `ValueError`, with the likely names and rooms, where there is none."""
    if name not in vocabulary():
        known = [*parts_by_room(), *vocabulary()]
        close = difflib.get_close_matches(name, known) or [*parts_by_room()]
        raise ValueError(f"no room or part is called {name!r}; there is {', '.join(close)}")
    return vocabulary()[name]


def written(kind: type) -> str:
    """How a value is written, with its defaults: `R1(gamma=1.0)`."""
    given = [f"{name}={value}" if value else name for name, value in defaults(kind).items()]
    return f"{kind.__name__}({', '.join(given)})"


def defaults(kind: type) -> dict[str, str]:
    """The fields that a dataclass is made from, with their defaults as text; empty where one has to be given."""
    found = {}
    for field in fields(kind):
        if field.init:
            made = field.default if field.default_factory is MISSING else field.default_factory()
            found[field.name] = "" if made is MISSING else repr(made)
    return found


def summary(kind: type | Callable[..., object]) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join((inspect.getdoc(kind) or "").partition("\n\n")[0].split())
