"""Validate and convert values by the annotations of dataclass fields: a plain Python value, or an error."""

__all__ = ()

import inspect
import math
import numbers
import os
import re
import types
import typing
from collections.abc import Collection, Mapping
from dataclasses import fields, is_dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from zerosum.recipes._opaque import Opaque

BECOMES = "becomes"  # metadata of a field that converts what it is given: the annotation of what it holds then
_EXACT = 2**53  # integers up to here are represented exactly as floats


def normalised(value: Any) -> Any:
    """Return a dataclass whose fields, and those of its parts, hold plain values; the same object if unchanged.

    NumPy scalars become Python numbers, integral floats ints, ints floats, lists tuples and paths strings, if the
    annotation requires it and the conversion is exact. So equal runs have equal text.

    Raises `ValueError` for a value that does not fit its field.
    """
    changed = changes(value)
    return replace(value, **changed) if changed else value


def changes(value: Any, without: Collection[str] = ()) -> dict[str, Any]:
    """Return the fields that `normalised` would replace, by name, but those `without`; raises as that does."""
    kind = type(value)
    given = {f.name: getattr(value, f.name) for f in fields(value) if f.init and f.name not in without}
    found = {name: fitted(kind, name, old) for name, old in given.items()}
    return {name: new for name, new in found.items() if new is not given[name]}


def convert_fields(value: Any, without: Collection[str] = ()) -> None:
    """Give the fields of a new frozen dataclass plain values, as `normalised` does; call it in `__post_init__`.

    Raises `ValueError` for a value that does not fit its field; fields `without` stay as they are.
    """
    for name, new in changes(value, without).items():
        object.__setattr__(value, name, new)


def fits(kind: type, name: str, value: Any) -> bool:
    """Return whether a value fits the annotation of a dataclass's field, as recipe text must."""
    return _fit(_annotation(kind, name), value)[1]


def fitted(kind: type, name: str, value: Any) -> Any:
    """Return the value converted to the annotation of a dataclass's field; raise `ValueError` if it does not fit."""
    annotation = _annotation(kind, name)
    found, ok = _fit(annotation, value)
    if ok:
        return found
    place = f"{kind.__name__}.{name}"
    reason = _reason(annotation, value)
    if reason:
        raise ValueError(f"{reason} (in {place})")
    raise ValueError(f"{place} takes {_annotation_text(annotation)}; found {shortened(repr(value))}")


def takes(kind: type, name: str, value: Any) -> bool:
    """Return whether a field is declared and its declaration takes a value."""
    annotation = _annotation(kind, name)
    return annotation is not Any and _fit(annotation, value)[1]


def becomes_another(kind: type, name: str) -> bool:
    """Return whether a dataclass converts what this field is given."""
    return any(f.name == name and BECOMES in f.metadata for f in fields(kind))


def annotation_text(kind: type, name: str) -> str:
    """Return what a dataclass's field takes, in words: its annotation."""
    return _annotation_text(_annotation(kind, name))


def shortened(text: str) -> str:
    """Return at most 80 characters of a text, with control characters escaped."""
    short = text if len(text) <= 80 else f"{text[:77]}..."
    return ascii(short)[1:-1]


def _annotation(kind: type, name: str) -> Any:
    return _hints(kind).get(name, Any)


@cache
def _hints(kind: type) -> Mapping[str, Any]:
    try:
        hints = typing.get_type_hints(kind)
    except NameError:  # names that only a type checker knows, in a user's class: nothing can be checked
        return {}
    return hints | {f.name: f.metadata[BECOMES] for f in fields(kind) if BECOMES in f.metadata}


def _is_value(value: Any) -> bool:
    return is_dataclass(value) and not isinstance(value, type)


def _fit(annotation: Any, value: Any) -> tuple[Any, bool]:
    """Return the value converted to the annotation, and whether it fits."""
    value = value.item() if isinstance(value, np.generic) else value
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        exact = [option for option in args if type(value) is option]
        tries = [_fit(option, value) for option in (*exact, *args)]
        return next((attempt for attempt in tries if attempt[1]), (value, False))
    if origin is typing.Literal:
        return value, value in args
    if origin is tuple or annotation is tuple:
        return _fit_tuple(args, value)
    if annotation in (int, float, str, bool):
        return _fit_plain(annotation, value)
    if annotation is types.NoneType:
        return value, value is None
    if annotation is Any:
        return (normalised(value) if _is_value(value) else value), True
    if origin is not None:  # list[int], Callable[..., Tensor]: in a user's class
        return value, not isinstance(origin, type) or isinstance(value, origin)
    if _is_protocol(annotation):
        implements = isinstance(value, Opaque) or not (isinstance(value, type) or _missing(annotation, value))
        return (normalised(value) if implements and _is_value(value) else value), implements
    if isinstance(annotation, type):
        ok = isinstance(value, annotation)
        return (normalised(value) if ok and _is_value(value) else value), ok
    return value, True  # a type variable, for example: nothing can be checked


def _fit_tuple(kinds: tuple[Any, ...], value: Any) -> tuple[Any, bool]:
    items = value.tolist() if isinstance(value, np.ndarray) and value.ndim == 1 else value
    if not isinstance(items, tuple | list):
        return value, False
    if not kinds:
        return (items if type(items) is tuple else tuple(items)), True
    kinds = kinds[:1] * len(items) if len(kinds) == 2 and kinds[1] is Ellipsis else kinds
    parts = [_fit(k, v) for k, v in zip(kinds, items, strict=False)]
    found = tuple(v for v, _ in parts)
    ok = len(kinds) == len(items) and all(ok for _, ok in parts)
    unchanged = type(value) is tuple and all(new is old for new, old in zip(found, value, strict=False))
    return (value if unchanged or not ok else found), ok


def _fit_plain(kind: type, value: Any) -> tuple[Any, bool]:
    """Convert to int, float, str or bool, if that is exact."""
    if type(value) is kind:
        return value, True
    if kind is str and isinstance(value, str | os.PathLike):
        text = os.fspath(value)
        return (str(text), True) if isinstance(text, str) else (value, False)
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or kind not in (int, float):
        return value, False
    if isinstance(value, numbers.Integral):
        integer = int(value)
        exact = abs(integer) < _EXACT
        return (integer, True) if kind is int else (float(integer) if exact else value, exact)
    if kind is float:
        number = float(value)
        return (number, True) if number == value or math.isnan(number) else (value, False)
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return int(value), True
    return value, False


def _is_protocol(annotation: Any) -> bool:
    return isinstance(annotation, type) and bool(vars(annotation).get("_is_protocol"))


def _members(protocol: type) -> dict[str, Any]:
    return {n: member for n, member in vars(protocol).items() if not n.startswith("_") or n == "__call__"}


def _missing(protocol: type, value: Any) -> list[str]:
    """Return the members of a protocol that a value lacks, including methods with other parameters.

    Terms and kernels are both callable and differ in what they take, so parameters are compared by name.
    """
    return [
        name
        for name, member in _members(protocol).items()
        if name not in dir(value) or (inspect.isfunction(member) and not _takes(member, value, name))
    ]


def _takes(member: types.FunctionType, value: Any, name: str) -> bool:
    """Return whether a value's method has the protocol's parameters; additional ones must have defaults."""
    parameters = _parameters(value, name)
    if parameters is None:
        return False
    expected = list(inspect.signature(member).parameters)[1:]
    free = inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD
    rest = parameters[len(expected) :]
    return [p.name for p in parameters[: len(expected)]] == expected and all(
        p.default is not inspect.Parameter.empty or p.kind in free for p in rest
    )


def _parameters(value: Any, name: str) -> list[inspect.Parameter] | None:
    """Return the parameters of a value's method, without self; None if it is not a method."""
    try:
        return list(inspect.signature(getattr(value, name)).parameters.values())
    except (TypeError, ValueError, AttributeError):
        return None


def _reason(annotation: Any, value: Any) -> str:
    """Return why an object does not implement the protocol that is required; empty for other values."""
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        options = [option for option in args if option is not types.NoneType]
        return _reason(options[0], value) if len(options) == 1 else ""
    if origin is tuple and args[-1] is Ellipsis and isinstance(value, tuple | list):
        return next((_reason(args[0], item) for item in value if not _fit(args[0], item)[1]), "")
    if not _is_protocol(annotation):
        return ""
    if isinstance(value, type):
        return f"{value.__name__} is a class: give {value.__name__}(...)"
    if isinstance(value, str | bool | numbers.Number | tuple | list | dict | None):
        return ""
    kind, protocol = type(value).__name__, annotation.__name__
    missing = _missing(annotation, value)
    members = _members(annotation)
    needed = [_signature(n, m) for n, m in members.items() if inspect.isfunction(m) or n in missing]
    present = [n for n in missing if n in dir(value)]
    found = _listed([_signature(n, getattr(value, n)) for n in present]) if present else f"no {' or '.join(missing)}"
    article = "an" if protocol[0] in "AEIOU" else "a"
    verb = "are" if len(needed) > 1 else "is"
    return f"{kind} is not {article} {protocol}: {_listed(needed)} {verb} required, found {found}"


def _signature(name: str, member: Any) -> str:
    """Return the signature of a method, such as `g_loss(fake, real=None)`; an attribute by its name."""
    if not callable(member):
        return name
    try:
        parameters = [p for n, p in inspect.signature(member).parameters.items() if n != "self"]
    except (TypeError, ValueError):
        return name
    return f"{name}({', '.join(str(p.replace(annotation=inspect.Parameter.empty)) for p in parameters)})"


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _annotation_text(annotation: Any) -> str:
    if typing.get_origin(annotation) is typing.Literal:
        return " or ".join(map(repr, typing.get_args(annotation)))
    if isinstance(annotation, type) and not typing.get_args(annotation):
        return annotation.__name__
    return re.sub(r"[a-z_.]+\.(?=[A-Z])|typing\.", "", str(annotation))
