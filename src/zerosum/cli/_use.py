"""The option `--use`: Python files and modules of the user, imported only where this option names them."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from functools import wraps
from typing import Annotated, Any

import typer

UseOption = Annotated[
    list[str] | None,
    typer.Option(
        "--use", metavar="FILE.py|MODULE", help="Import your own classes from a Python file or module. Repeatable."
    ),
]
_NAMES: ContextVar[tuple[str, ...]] = ContextVar("use", default=())


def using(verb: Callable[..., None]) -> Callable[..., None]:
    """Add the option `--use` to a command, in which `known()` returns what it names."""

    @wraps(verb)
    def _with_use(*arguments: Any, use: list[str] | None = None, **options: Any) -> None:
        token = _NAMES.set(tuple(use or ()))
        try:
            verb(*arguments, **options)
        finally:
            _NAMES.reset(token)

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    option = inspect.Parameter("use", kind, default=None, annotation=UseOption)
    *others, last = inspect.signature(verb).parameters.values()
    signature = inspect.signature(verb).replace(parameters=[*others, option, last])
    vars(_with_use).update(__signature__=signature)
    _with_use.__annotations__ = {**verb.__annotations__, "use": UseOption}
    return _with_use


def flags() -> tuple[str, ...]:
    """The option as given, for a command that runs another."""
    return tuple(word for name in _NAMES.get() for word in ("--use", name))


def known(also: Iterable[str] = ()) -> Mapping[str, Any]:
    """Import what `--use` names and the files `also`, and return what they define, by name.

    Raises `ValueError` where one cannot be imported.
    """
    from zerosum.recipes.using import used

    return used((*_NAMES.get(), *also))
