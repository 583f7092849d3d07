"""Describe the constructors that recipe text may name: by room, with signature and summary."""

__all__ = ()

import difflib
import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields

from zerosum.recipes.reader import ROOMS, vocabulary


def parts_by_room() -> dict[str, list[type]]:
    """Return the constructors that recipe text may name, by room; rooms without any are omitted."""
    found = {room: [k for k in vocabulary().values() if k.__module__.startswith(f"zerosum.{room}.")] for room in ROOMS}
    return {room: sorted(kinds, key=lambda kind: kind.__name__) for room, kinds in found.items() if kinds}


def part_named(name: str) -> type:
    """Return the constructor of a name; raise `ValueError`, with similar names and rooms, if there is none."""
    if name not in vocabulary():
        known = [*parts_by_room(), *vocabulary()]
        close = difflib.get_close_matches(name, known)
        hint = f"did you mean {' or '.join(close)}?" if close else f"rooms are {', '.join(parts_by_room())}"
        raise ValueError(f"no room or part is called {name!r}; {hint}")
    return vocabulary()[name]


def written(kind: type) -> str:
    """Return the constructor call with its defaults, such as `R1(gamma=1.0)`."""
    given = [f"{name}={value}" if value else name for name, value in defaults(kind).items()]
    return f"{kind.__name__}({', '.join(given)})"


def defaults(kind: type) -> dict[str, str]:
    """Return the fields that recipe text has of a dataclass, with their defaults as text; empty for required ones."""
    found = {}
    for field in fields(kind):
        if field.init and field.repr:
            made = field.default if field.default_factory is MISSING else field.default_factory()
            found[field.name] = "" if made is MISSING else repr(made)
    return found


def summary(kind: type | Callable[..., object]) -> str:
    """Return the first paragraph of a docstring, on one line."""
    return " ".join((inspect.getdoc(kind) or "").partition("\n\n")[0].split())
