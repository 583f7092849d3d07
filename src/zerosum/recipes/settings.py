"""Set one field of a recipe from text, as people write it: `batch=32`, `objective=hinge`, `d_terms=R1(gamma=1)`."""

__all__ = ["with_setting"]

import ast
import difflib
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any

from zerosum.recipes.fit import annotation_text, becomes_another, fits, fitted, takes
from zerosum.recipes.own_networks import OwnNetwork
from zerosum.recipes.reader import NOTHING, Known, known_field, read, vocabulary, with_known

_WORD = re.compile(r"[A-Za-z_][\w-]*")
_CONSTANTS = {"true": True, "false": False, "none": None}


def with_setting(recipe: Any, setting: str, known: Known = NOTHING) -> Any:
    """Return a recipe with one field replaced by `KEY=VALUE`: `batch=32`, `generator.size=32`, `d_terms=(R1(),)`.

    The value is recipe text. Capitals do not matter in names, a constructor without arguments needs no parentheses
    (`objective=non-saturating`), a string no quotes, and a single term no tuple. `known` is as for `read`; a network
    in it is set by its name, `generator=Mine`.

    Raises `ValueError` for an unknown field or a value that cannot be read or does not fit.
    """
    key, equals, text = setting.partition("=")
    if not equals:
        raise ValueError(f"a setting is KEY=VALUE, like batch=32; found {setting!r}")
    path = key.strip().split(".")
    if is_dataclass(recipe) and len(path) == 1 and _same_name(path[0], _names(recipe)) is None:
        nested = [f"--set {place}={text.strip()}" for place in _places(recipe, path[0])]
        if nested:
            raise ValueError(f"{type(recipe).__name__} has no field {path[0]!r}; its parts have: {' '.join(nested)}")
    return _replaced(recipe, path, text.strip(), known)


def _replaced(value: Any, path: list[str], text: str, known: Known) -> Any:
    if not is_dataclass(value) or isinstance(value, type):
        raise ValueError(f"{value!r} has no fields, so {path[0]!r} cannot be set in it")
    name = _same_name(path[0], _names(value)) or known_field(type(value), path[0])
    if len(path) > 1:
        new = _replaced(getattr(value, name), path[1:], text, known)
    else:
        new = _value(type(value), name, text, known)
    return with_known(replace(value, **{name: new}), known)


def _names(value: Any) -> list[str]:
    return [f.name for f in fields(value) if f.init]


def _plain(name: str) -> str:
    """A name without capitals, hyphens and underscores."""
    return name.lower().replace("-", "").replace("_", "")


def _same_name(name: str, names: list[str]) -> str | None:
    """The name itself if it is among the names, or else the only one that differs in capitals and hyphens alone."""
    alike = [other for other in names if _plain(other) == _plain(name)]
    return name if name in names else alike[0] if len(alike) == 1 else None


def _places(value: Any, name: str, before: str = "") -> Iterator[str]:
    """The paths of fields of a name in the parts of a value."""
    for f in fields(value):
        part = getattr(value, f.name)
        if is_dataclass(part) and not isinstance(part, type):
            found = _same_name(name, _names(part))
            if found is not None:
                yield f"{before}{f.name}.{found}"
            yield from _places(part, name, f"{before}{f.name}.")


def _value(kind: type, name: str, text: str, known: Known) -> Any:
    """The value of a field, from text; raises `ValueError` where it cannot be read or does not fit."""
    own = known.get(_same_name(text.removesuffix("()"), [*known]) or "")
    if becomes_another(kind, name) and OwnNetwork.wrapped(own) is not own:
        return own  # a module, or a class or function that makes one, which the dataclass wraps
    word = _WORD.fullmatch(text) is not None
    parts = tuple(part.strip() for part in text.split(","))
    words = all(_WORD.fullmatch(part) and _plain(part) not in _CONSTANTS for part in parts)
    strings = [given for given in (text, parts) if takes(kind, name, given)]
    if words and strings:
        return strings[0]
    try:
        found = read(_completed(text, known), known)
    except ValueError:
        if strings and all(parts) and not text.startswith(("'", '"')):
            return strings[0]
        if word and not _alike(text, known):
            raise ValueError(f"{kind.__name__}.{name} takes {annotation_text(kind, name)}; found {text}") from None
        raise
    fitting = [given for given in (found, (found,), text) if fits(kind, name, given)]
    return fitted(kind, name, fitting[0] if fitting else found)


def _alike(text: str, known: Known) -> list[str]:
    """The constructors that a word may mean, of equal or similar names."""
    names = {_plain(name): name for name in (*vocabulary(), *known)}
    return [names[close] for close in difflib.get_close_matches(_plain(text), [*names], n=3)]


def _completed(text: str, known: Known) -> str:
    """The recipe text that a text means: names of constructors as they are written, each with parentheses."""
    constructors = {**vocabulary(), **known}
    names = [*constructors]
    if _WORD.fullmatch(text) and _plain(text) not in _CONSTANTS:
        exact = _same_name(text, names)
        close = _alike(text, known)
        if exact is None and close:
            raise ValueError(f"unknown class {text!r}; did you mean {' or '.join(close)}?")
        return text if exact is None else f"{exact}()"
    try:
        tree = ast.parse(text, mode="eval")
        return ast.unparse(_Completer(constructors).visit(tree))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return text  # whose error `read` explains


class _Completer(ast.NodeTransformer):
    """Writes the names of constructors, their fields and constants as recipe text has them."""

    def __init__(self, constructors: Known) -> None:
        self.constructors = constructors

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id.lower() in _CONSTANTS:
            return ast.Constant(_CONSTANTS[node.id.lower()])
        found = _same_name(node.id, [*self.constructors])
        return node if found is None else ast.Call(ast.Name(found), [], [])

    def visit_Call(self, node: ast.Call) -> ast.Call:
        name = _same_name(node.func.id, [*self.constructors]) if isinstance(node.func, ast.Name) else None
        kind = self.constructors.get(name or "")
        given = _names(kind) if is_dataclass(kind) else []
        keywords = [
            ast.keyword(k.arg and (_same_name(k.arg, given) or k.arg), self.visit(k.value)) for k in node.keywords
        ]
        func = node.func if name is None else ast.Name(name)
        return ast.Call(func, [self.visit(argument) for argument in node.args], keywords)
