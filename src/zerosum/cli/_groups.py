"""Options of a command as one value: a dataclass with a field for each."""

import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from functools import wraps
from typing import Any, get_type_hints


def grouped(verb: Callable[..., None]) -> Callable[..., None]:
    """Replace each parameter of a command that is a dataclass by an option per field of it."""
    signature = inspect.signature(verb)
    groups: dict[str, Any] = {n: p.annotation for n, p in signature.parameters.items() if is_dataclass(p.annotation)}
    parameters = []
    for name, parameter in signature.parameters.items():
        if name in groups:
            hints = get_type_hints(groups[name], include_extras=True)
            for f in fields(groups[name]):
                default = inspect.Parameter.empty if f.default is MISSING else f.default
                kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
                parameters.append(inspect.Parameter(f.name, kind, default=default, annotation=hints[f.name]))
        else:
            parameters.append(parameter)

    @wraps(verb)
    def _with_groups(*arguments: Any, **options: Any) -> None:
        given = {name: kind(**{f.name: options.pop(f.name) for f in fields(kind)}) for name, kind in groups.items()}
        verb(*arguments, **options, **given)

    vars(_with_groups).update(__signature__=signature.replace(parameters=parameters))
    _with_groups.__annotations__ = {p.name: p.annotation for p in parameters}
    return _with_groups
