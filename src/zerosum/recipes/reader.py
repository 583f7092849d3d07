"""Reading recipe text: constructors of the public dataclasses and literals, and nothing else.

The text is parsed, never evaluated. Which constructors exist is asked of the rooms themselves, so a new objective or
network can be written in a recipe the moment its file exists.
"""

__all__ = ["read", "read_recipe", "with_setting"]

import ast
import difflib
import inspect
import math
import re
import types
import typing
import warnings
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from functools import cache
from typing import Any

from zerosum._rooms import public
from zerosum.recipes.recipe import Recipe

LARGEST = 2**63 - 1
LONGEST = 100_000  # characters of recipe text; far above any honest recipe
ROOMS = ("conditions", "game", "objectives", "terms", "augment", "networks", "data", "recipes")


@cache
def vocabulary() -> types.MappingProxyType[str, type]:
    """The constructors that recipe text may name: the public frozen dataclasses of the rooms, by name."""
    known: dict[str, type] = {}
    for room in ROOMS:
        for name, value in public(f"zerosum.{room}").items():
            if inspect.isclass(value) and is_dataclass(value) and _is_plain_value(value):
                if name in known:
                    raise ValueError(f"two rooms define {name}: recipe text could not tell them apart")
                known[name] = value
    return types.MappingProxyType(known)


def _is_plain_value(kind: type) -> bool:
    # Frozen and compared by value: what a repr can carry. Batches, turns and opened data are compared by identity.
    parameters = kind.__dataclass_params__  # type: ignore[attr-defined]
    return bool(parameters.frozen and parameters.eq)


def read(text: str, known: Mapping[str, type] = types.MappingProxyType({})) -> Any:
    """The value that recipe text describes, such as `R1(gamma=1.0)`, `(64, 64)` or a whole `Recipe(...)`.

    `known` adds dataclasses of your own, by name, to the constructors that the text may use.

    Raises `ValueError` with one sentence for anything that is not a literal or a known constructor with known fields.
    """
    if len(text) > LONGEST:
        raise ValueError(f"recipe text has at most {LONGEST} characters; found {len(text)}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's remarks on odd code; what is not recipe text is refused below
            tree = ast.parse(text.strip(), mode="eval")
        return _value(tree.body, {**vocabulary(), **known})
    except SyntaxError as error:
        raise ValueError(f"not recipe text ({error.msg}): {_shortened(text)}") from None
    except UnicodeError:
        raise ValueError(f"recipe text is not valid text: {_shortened(text)}") from None
    except (RecursionError, MemoryError):
        raise ValueError(f"recipe text is nested too deeply: {_shortened(text)}") from None


def read_recipe(text: str, known: Mapping[str, type] = types.MappingProxyType({})) -> Recipe:
    """The recipe that the text describes; raises `ValueError` if it describes something else."""
    value = read(text, known)
    if not isinstance(value, Recipe):
        raise ValueError(f"expected the text of a Recipe(...); found {_shortened(text)}")
    return value


def with_setting(recipe: Any, setting: str) -> Any:
    """A recipe with one field replaced by `KEY=VALUE`, as `batch=32`, `generator.size=32` or `d_terms=(R1(),)`.

    Raises `ValueError` where the key names no field or the value does not read or fit.
    """
    key, equals, text = setting.partition("=")
    if not equals:
        raise ValueError(f"a setting is KEY=VALUE, like batch=32; found {setting!r}")
    return _replaced(recipe, key.strip().split("."), text)


def fits(kind: type, name: str, value: Any) -> bool:
    """Whether a dataclass's field takes a value, by its annotation: what recipe text is held to."""
    return _fit(typing.get_type_hints(kind)[name], value)[1]


def _replaced(value: Any, path: list[str], text: str) -> Any:
    name = _known_field(type(value), path[0]) if is_dataclass(value) else path[0]
    if not is_dataclass(value):
        raise ValueError(f"{value!r} has no fields, so {name!r} cannot be set in it")
    if len(path) > 1:
        new = _replaced(getattr(value, name), path[1:], text)
    else:
        bare_word = isinstance(getattr(value, name), str) and text.isidentifier()
        new = _fitted(type(value), name, text if bare_word else read(text))
    return replace(value, **{name: new})  # type: ignore[type-var]


def _value(node: ast.expr, known: Mapping[str, type]) -> Any:
    match node:
        case ast.Constant(value=int() as number) if number > LARGEST:
            raise ValueError(f"a whole number in recipe text is at most {LARGEST}")
        case ast.Name(id=name) if name in known:
            raise ValueError(f"{name} is a constructor: write {name}(), with parentheses")
        case ast.Constant(value=None | bool() | int() | float() | str()):
            return node.value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return -number
        case ast.Name(id="inf" | "nan" as word):
            return float(word)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Name(id="inf")):
            return -math.inf
        case ast.Tuple(elts=items):
            return tuple(_value(item, known) for item in items)
        case ast.List(elts=items):
            return [_value(item, known) for item in items]
        case ast.Call(func=ast.Name(id=name)):
            return _constructed(name, node, known)
    raise ValueError(f"recipe text holds literals and constructors only; found {_shortened(ast.unparse(node))}")


def _constructed(name: str, node: ast.Call, known: Mapping[str, type]) -> Any:
    if name not in known:
        raise ValueError(f"no {name!r} is known{_hint(name, list(known))}")
    kind = known[name]
    names = [f.name for f in fields(kind) if f.init]
    if len(node.args) > len(names) or any(isinstance(a, ast.Starred) for a in node.args):
        raise ValueError(f"{name} takes {', '.join(names) or 'nothing'}; found {_shortened(ast.unparse(node))}")
    given = {key: _value(argument, known) for key, argument in zip(names, node.args, strict=False)}
    for keyword in node.keywords:
        if keyword.arg is None or keyword.arg in given:
            raise ValueError(f"{name} takes each field once, by name; found {_shortened(ast.unparse(node))}")
        given[_known_field(kind, keyword.arg)] = _value(keyword.value, known)
    given = {key: _fitted(kind, key, value) for key, value in given.items()}
    try:
        return kind(**given)
    except TypeError as error:
        raise ValueError(f"{name}: {error}") from None


def _shortened(text: str) -> str:
    shown = text if len(text) <= 80 else f"{text[:77]}..."
    return ascii(shown)[1:-1]  # without the control characters that a hostile text may hold


def _known_field(kind: type, name: str) -> str:
    names = [f.name for f in fields(kind) if f.init]
    if name not in names:
        raise ValueError(f"{kind.__name__} has no field {name!r}{_hint(name, names)}")
    return name


def _hint(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    if close:
        return f"; did you mean {' or '.join(close)}?"
    return f"; there are {', '.join(known)}" if known else "; it has none"


def _fitted(kind: type, name: str, value: Any) -> Any:
    """The value as the field's annotation wants it: an int serves as a float, anything else must fit."""
    annotation = typing.get_type_hints(kind)[name]
    fitted, ok = _fit(annotation, value)
    if not ok:
        raise ValueError(f"{kind.__name__}.{name} takes {_told(annotation)}; found {_shortened(repr(value))}")
    return fitted


def _fit(annotation: Any, value: Any) -> tuple[Any, bool]:
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        tries = [_fit(option, value) for option in args]
        return next((attempt for attempt in tries if attempt[1]), (value, False))
    if origin is typing.Literal:
        return value, value in args
    if origin is tuple and isinstance(value, tuple):
        kinds = args[:1] * len(value) if len(args) == 2 and args[1] is Ellipsis else args
        parts = [_fit(k, v) for k, v in zip(kinds, value, strict=False)]
        return tuple(v for v, _ in parts), len(kinds) == len(value) and all(ok for _, ok in parts)
    if annotation is float and type(value) is int and abs(value) < 2**53:
        return float(value), True
    if annotation in (int, float, str, bool, tuple):
        return value, type(value) is annotation
    if annotation is types.NoneType:
        return value, value is None
    # A protocol (an objective, a term, a network): any constructed value may stand here, a bare literal may not.
    return value, annotation is Any or (is_dataclass(value) and _plays(annotation, value))


def _plays(annotation: Any, value: Any) -> bool:
    """Whether a constructed value has the methods of the protocol, or is of the class, that an annotation names."""
    if typing.get_origin(annotation) is not None:
        return False
    if not getattr(annotation, "_is_protocol", False):
        return isinstance(value, annotation)
    wanted = {n: member for n, member in vars(annotation).items() if not n.startswith("_") or n == "__call__"}
    return all(n in dir(value) and _same_parameters(member, type(value), n) for n, member in wanted.items())


def _same_parameters(member: Any, kind: type, name: str) -> bool:
    """Whether a method takes what the protocol's does: a term takes a turn, where a kernel takes distances."""
    if not inspect.isfunction(member):
        return True
    return list(inspect.signature(member).parameters) == list(inspect.signature(getattr(kind, name)).parameters)


def _told(annotation: Any) -> str:
    if typing.get_origin(annotation) is typing.Literal:
        return " or ".join(map(repr, typing.get_args(annotation)))
    if isinstance(annotation, type) and not typing.get_args(annotation):
        return annotation.__name__
    return re.sub(r"[a-z_.]+\.(?=[A-Z])|typing\.", "", str(annotation))
