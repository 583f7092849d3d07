"""Read recipe text: literals and constructors of the public dataclasses, and nothing else.

The text is parsed, never evaluated. Constructors are found in the rooms, so a new objective or network can be used in a
recipe as soon as its file exists.
"""

__all__ = ["read", "read_recipe"]

import ast
import difflib
import inspect
import math
import types
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cache
from typing import Any

from zerosum._rooms import public
from zerosum.recipes._opaque import Opaque, unknown
from zerosum.recipes.evaluation import Evaluation
from zerosum.recipes.fit import fitted, shortened
from zerosum.recipes.own_networks import OwnNetwork, found
from zerosum.recipes.recipe import Recipe, flat

LARGEST = 2**63 - 1
LONGEST = 100_000  # characters of recipe text; far above any real recipe
Known = Mapping[str, Any]  # user-defined classes and modules, by name
NOTHING: Known = types.MappingProxyType({})
ROOMS = (  # by name: they are imported when text is read, also `evaluation.measures`, which is above this package
    *("conditions", "distributions", "game", "objectives", "terms", "augment", "networks", "data", "probes"),
    *("autoencoders", "recipes", "evaluation.measures"),
)


@cache
def vocabulary() -> types.MappingProxyType[str, type]:
    """Return the constructors that recipe text may name: the public frozen dataclasses of the rooms, by name."""
    known: dict[str, type] = {}
    for room in ROOMS:
        for name, value in public(f"zerosum.{room}").items():
            if inspect.isclass(value) and is_dataclass(value) and _is_plain_value(value):
                if name in known:
                    raise ValueError(f"two rooms define {name}, which makes recipe text ambiguous: rename one")
                known[name] = value
    return types.MappingProxyType(known)


def _is_plain_value(kind: type) -> bool:
    # Frozen and compared by value, so a repr defines it. Batches, turns and opened data are compared by identity.
    parameters = kind.__dataclass_params__  # type: ignore[attr-defined]
    return bool(parameters.frozen and parameters.eq)


def read(text: str, known: Known = NOTHING) -> Any:
    """Return the value that recipe text describes, such as `R1(gamma=1.0)`, `(64, 64)` or a whole `Recipe(...)`.

    `known` adds user-defined dataclasses, and modules or functions that make them, by name.

    Raises `ValueError` for anything that is not a literal or a known constructor with known fields.
    """
    return _read(text, _Reader({**vocabulary(), **known}))


def read_recipe(text: str, known: Known = NOTHING, opaque: bool = False) -> Recipe:
    """Return the recipe that the text describes; raise `ValueError` if it describes something else.

    With `opaque`, unknown constructors become placeholders that keep their text and raise `ValueError` when used. So a
    trained generator can be loaded without the objective that trained it.
    """
    value = _read(text, _Reader({**vocabulary(), **known}, opaque))
    if not isinstance(value, Recipe):
        raise ValueError(f"expected the text of a Recipe(...); found {shortened(text)}")
    return value


def _read(text: str, reader: "_Reader") -> Any:
    if len(text) > LONGEST:
        raise ValueError(f"recipe text has at most {LONGEST} characters; found {len(text)}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # SyntaxWarnings of Python; anything but recipe text is rejected below
            tree = ast.parse(text.strip(), mode="eval")
        return reader.value(tree.body)
    except SyntaxError as error:
        raise ValueError(f"not recipe text ({error.msg}): {shortened(text)}") from None
    except UnicodeError:
        raise ValueError(f"recipe text is not valid text: {shortened(text)}") from None
    except (RecursionError, MemoryError):
        raise ValueError(f"recipe text is nested too deeply: {shortened(text)}") from None


def with_known(value: Any, known: Known) -> Any:
    """Return a part that names user-defined modules or functions with those of `known`, anything else unchanged."""
    if isinstance(value, OwnNetwork):
        return found(value, known)
    if isinstance(value, Evaluation):
        own = {name: part for name, part in known.items() if name not in vocabulary()}
        return replace(value, known={**value.known, **own})
    return value


@dataclass(frozen=True, eq=False)
class _Reader:
    """Reads a syntax tree, with the constructors it may name and whether others are opaque or an error."""

    known: Known
    opaque: bool = False

    def value(self, node: ast.expr) -> Any:
        """Return the value of an expression."""
        match node:
            case ast.Constant(value=int() as number) if number > LARGEST:
                raise ValueError(f"an integer in recipe text is at most {LARGEST}")
            case ast.Name(id=name) if name in self.known:
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
                return tuple(self.value(item) for item in items)
            case ast.List(elts=items):
                return [self.value(item) for item in items]
            case ast.Call(func=ast.Name(id=name)):
                kind = self.known.get(name)
                if inspect.isclass(kind) and is_dataclass(kind):
                    return self._constructed(kind, node)
                return self._unknown(name, node)
        raise ValueError(f"recipe text holds literals and constructors only; found {shortened(ast.unparse(node))}")

    def _constructed(self, kind: type, node: ast.Call) -> Any:
        name, names = kind.__name__, [f.name for f in fields(kind) if f.init]
        if len(node.args) > len(names) or any(isinstance(a, ast.Starred) for a in node.args):
            raise ValueError(f"{name} takes {', '.join(names) or 'nothing'}; found {shortened(ast.unparse(node))}")
        given = {key: self.value(argument) for key, argument in zip(names, node.args, strict=False)}
        for keyword in node.keywords:
            if keyword.arg is None or keyword.arg in given:
                raise ValueError(f"{name} takes each field once, by name; found {shortened(ast.unparse(node))}")
            given[known_field(kind, keyword.arg)] = self.value(keyword.value)
        given = {key: fitted(kind, key, value) for key, value in given.items()}
        try:
            made = kind(**given)
        except TypeError as error:
            raise ValueError(f"{name}: {error}") from None
        return with_known(made, self.known)

    def _unknown(self, name: str, node: ast.Call) -> Opaque:
        """Return the opaque value of an unknown constructor; its arguments must be recipe text too."""
        if name in self.known:
            raise ValueError(f"{name} is no dataclass, so it takes no arguments in recipe text")
        if not self.opaque:
            close = difflib.get_close_matches(name, list(self.known), n=3, cutoff=0.6)
            raise ValueError(unknown(name) + (f"; or did you mean {' or '.join(close)}?" if close else ""))
        arguments = [flat(self.value(argument)) for argument in node.args]
        arguments += [f"{keyword.arg}={flat(self.value(keyword.value))}" for keyword in node.keywords if keyword.arg]
        if len(arguments) < len(node.args) + len(node.keywords):
            raise ValueError(f"{name} takes each field once, by name; found {shortened(ast.unparse(node))}")
        return Opaque(name, f"{name}({', '.join(arguments)})")


def known_field(kind: type, name: str) -> str:
    """Return the name of a field of a dataclass; raise `ValueError`, with similar names, if it has none."""
    names = [f.name for f in fields(kind) if f.init]
    if name not in names:
        raise ValueError(f"{kind.__name__} has no field {name!r}{_hint(name, names)}")
    return name


def _hint(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    if close:
        return f"; did you mean {' or '.join(close)}?"
    return f"; there are {', '.join(known)}" if known else "; it has none"
