"""Whether a recipe trains the same way in a longer run."""

__all__ = ()

import inspect
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from types import CodeType
from typing import Any

from zerosum.protocols import Schedule
from zerosum.recipes.recipe import Recipe

_POINTS = 64  # of the progress at which a schedule is tried


def follows_length(recipe: Recipe) -> str | None:
    """Return the field whose effect follows the share of the run that is done, such as `G_opt.schedule`.

    None if there is none: then a run of other length has the same weights after the same images, so a run can be
    extended exactly. A game of other networks, and a part of the user's that reads `turn.clock.progress`, count.
    """
    if recipe.game is not None:
        return "game"
    for name in ("G_opt", "D_opt"):
        if _varies(getattr(recipe, name).schedule):
            return f"{name}.schedule"
    return next((path for path, part in _parts(recipe, "") if _follows(part)), None)


def _parts(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The parts of a recipe with their paths, as `d_terms[0].schedule`."""
    if isinstance(value, tuple | list):
        for number, item in enumerate(value):
            yield from _parts(item, f"{path}[{number}]")
        return
    if path:
        yield path, value
    if is_dataclass(value) and not isinstance(value, type):
        for f in fields(value):
            yield from _parts(getattr(value, f.name), f"{path}.{f.name}" if path else f.name)


def _follows(part: Any) -> bool:
    if _is_schedule(part):
        return _varies(part)
    held = [getattr(part, f.name) for f in fields(part)] if is_dataclass(part) else []
    # What holds a schedule reads the progress for it, and the schedule is a part of its own.
    return not any(map(_is_schedule, held)) and any("progress" in names for names in _names_in(type(part)))


def _is_schedule(part: Any) -> bool:
    try:
        return callable(part) and not isinstance(part, type) and [*inspect.signature(part).parameters] == ["progress"]
    except (TypeError, ValueError):
        return False


def _varies(schedule: Schedule) -> bool:
    return len({schedule(point / _POINTS) for point in range(_POINTS + 1)}) > 1


def _names_in(kind: type) -> Iterator[tuple[str, ...]]:
    """The attributes and globals that the methods of a class name."""
    for base in kind.__mro__:
        for member in vars(base).values():
            function = inspect.unwrap(member) if inspect.isfunction(member) else None
            codes = [function.__code__] if function is not None else []
            while codes:
                code = codes.pop()
                yield code.co_names
                codes += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
