"""User-defined parts and recipes in Python files and modules, which are imported only if a user names them."""

__all__ = ["recipe_in", "used"]

import hashlib
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from zerosum._paths import user_path
from zerosum.recipes.evaluation import Evaluation
from zerosum.recipes.own_networks import OwnNetwork, module_key, modules_by_key
from zerosum.recipes.reader import vocabulary
from zerosum.recipes.recipe import Recipe


def used(names: Iterable[str]) -> dict[str, Any]:
    """Return what Python files and modules define, by name: classes, functions, PyTorch modules; for `known`.

    Each is imported, which executes it. A file can import other files of its folder.

    Args:
        names: files that end in `.py`, optionally followed by `:NAME`, or dotted module names.

    Raises:
        ValueError: if one cannot be imported, or defines a class with the name of one of zerosum's.
    """
    known: dict[str, Any] = {}
    for name in names:
        module = _module(_split(name)[0])
        own = {key: value for key, value in vars(module).items() if not key.startswith("_") and _is_own(value)}
        clash = sorted(key for key, value in own.items() if key in vocabulary() and value is not vocabulary()[key])
        if clash:
            raise ValueError(f"{name} defines {clash[0]}, which zerosum defines too: rename yours")
        networks = {f"{r.name} {f}": v for r in _recipes_of(module) for f, v in _networks(r).items()}
        known |= {**own, **modules_by_key(own), **modules_by_key(networks)}
    return known


def is_file(name: str) -> bool:
    """Return whether a text names a Python file, optionally followed by `:NAME`."""
    return _split(name)[0].endswith(".py")


def recipe_in(name: str) -> Recipe:
    """Return the recipe that a Python file defines: a `Recipe`, or a function annotated `-> Recipe`.

    Args:
        name: the file, followed by `:NAME` if it defines several and none is called `recipe`.

    Raises:
        ValueError: if the file cannot be imported, or does not define the recipe.
    """
    file, wanted = _split(name)
    module = _module(file)
    recipes = _recipes(module)
    if wanted:
        if wanted not in vars(module):
            raise ValueError(f"{file} has no {wanted!r}{_choice(recipes)}")
        return _called(f"{file}:{wanted}", vars(module)[wanted])
    if not recipes:
        raise ValueError(f"{file} defines no recipe: add one, such as recipe = replace(dcgan(), ...)")
    first = next(iter(recipes))
    if len(recipes) > 1 and "recipe" not in recipes:
        raise ValueError(f"{file} defines several recipes: choose one, as {file}:{first}{_choice(recipes)}")
    key = "recipe" if "recipe" in recipes else first
    return _called(f"{file}:{key}", recipes[key])


def sources(value: object) -> dict[str, str]:
    """Return file and sha256 of each user-defined part of a recipe, by class name, for the record of a run."""
    return {part.__name__: _fingerprint(part) for part in _own_parts(value)}


def own_types(value: object) -> dict[str, type]:
    """Return the user-defined dataclasses in a recipe, by name, as needed to read its text.

    Raises `ValueError` if one has the name of one of zerosum's, or two of them share a name.
    """
    found: dict[str, type] = {}
    for part in _own_parts(value):
        name = part.__name__
        if not (isinstance(part, type) and is_dataclass(part)):
            continue  # a network or function, which is looked up by name
        if found.get(name, part) is not part or name in vocabulary():
            whose = "zerosum" if name in vocabulary() else "another part of this recipe"
            raise ValueError(f"{whose} has a class {name} too, which makes recipe text ambiguous: rename yours")
        found[name] = part
    return found


def known_of(recipe: Recipe) -> dict[str, Any]:
    """Return the user-defined parts of a recipe, by name: dataclasses, given networks, and parts of the evaluation."""
    own = _own_networks(recipe).values()
    networks = {module_key(player.name, player.parameters): player.given for player in own if player.given is not None}
    evaluation = {} if recipe.evaluation is None else recipe.evaluation.known
    return {**own_types(recipe), **networks, **evaluation}


def own_instance(name: str, known: Mapping[str, Any]) -> Any:
    """Return what `known` has by a name, of a class an instance with its defaults; None if there is nothing.

    Raises `ValueError` for a class that needs arguments.
    """
    found = known.get(name)
    if not isinstance(found, type):
        return found
    try:
        return found()
    except TypeError as error:
        raise ValueError(f"{name}() fails: {error}; give every field of {name} a default") from error


def _own_parts(value: object) -> Iterable[Any]:
    if isinstance(value, tuple):
        for item in value:
            yield from _own_parts(item)
    elif isinstance(value, OwnNetwork):
        if value.given is not None:
            yield _definition(value.given)
    elif is_dataclass(value) and not isinstance(value, type):
        if not _is_builtin(type(value)):
            yield type(value)
        if isinstance(value, Evaluation):
            yield from map(_definition, value.known.values())
        for f in fields(value):
            yield from _own_parts(getattr(value, f.name))


def _definition(given: Any) -> Any:
    """Return the class or function that a given object is, or the class of an instance."""
    return given if isinstance(given, type) or inspect.isfunction(given) else type(given)


def _fingerprint(part: Any) -> str:
    try:
        path = Path(inspect.getfile(part))
        return f"{path.name}, sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}"
    except (TypeError, OSError):
        return "defined interactively, without a file"


def _split(name: str) -> tuple[str, str]:
    """Split into a file or module and the name in it."""
    before, colon, after = name.rpartition(":")
    return (before, after) if colon and before.endswith(".py") else (name, "")


def _module(name: str) -> ModuleType:
    """Import a file or a module, once."""
    if name.endswith(".py") and not user_path(name).is_file():
        raise ValueError(f"file not found: {name}")
    try:
        return _file(user_path(name)) if name.endswith(".py") else importlib.import_module(name)
    except Exception as error:
        raise ValueError(f"{name} cannot be imported: {type(error).__name__}: {error}{_line(error, name)}") from error


def _file(path: Path) -> ModuleType:
    path = path.resolve(strict=True)
    name = f"{path.stem}-{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"  # a name that no import can use
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None, "a file that ends in .py has a loader"
    module = importlib.util.module_from_spec(spec)
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))  # at the end, so that installed packages take precedence
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _line(error: BaseException, name: str) -> str:
    """Return the line of the file in which an error occurred, if it did."""
    place, trace = "", error.__traceback__
    while trace is not None:
        if Path(trace.tb_frame.f_code.co_filename).name == Path(name).name:
            place = f" (line {trace.tb_lineno})"
        trace = trace.tb_next
    return place


def _is_own(value: object) -> bool:
    if isinstance(value, type) or inspect.isfunction(value):
        return not _is_builtin(value)
    return isinstance(value, nn.Module)


def _is_builtin(part: Any) -> bool:
    """Return whether a class or function belongs to zerosum, PyTorch or Python."""
    package = str(part.__module__).partition(".")[0]
    return package in ("zerosum", "torch") or package in sys.stdlib_module_names


def _makes_recipe(value: object, module: ModuleType) -> bool:
    if isinstance(value, Recipe):
        return True
    if not inspect.isfunction(value) or value.__module__ != module.__name__:
        return False
    signature = inspect.signature(value)
    return not signature.parameters and signature.return_annotation in (Recipe, "Recipe")


def _called(name: str, value: Recipe | Callable[[], Any]) -> Recipe:
    made = value if isinstance(value, Recipe) or not callable(value) else value()
    if not isinstance(made, Recipe):
        raise ValueError(f"{name} should be a Recipe or a function that returns one; found {type(made).__name__}")
    return made


def _choice(recipes: Iterable[str]) -> str:
    names = ", ".join(recipes)
    return f"; it defines {names}" if names else "; it defines no recipe"


def _recipes(module: ModuleType) -> dict[str, Any]:
    own = {key: value for key, value in vars(module).items() if not key.startswith("_")}
    return {key: value for key, value in own.items() if _makes_recipe(value, module)}


def _recipes_of(module: ModuleType) -> list[Recipe]:
    """Return the recipes of a file, whose networks may be modules without a name of their own."""
    return [_called(key, value) for key, value in _recipes(module).items()]


def _networks(recipe: Recipe) -> dict[str, nn.Module]:
    own = {key: player.given for key, player in _own_networks(recipe).items()}
    return {key: given for key, given in own.items() if isinstance(given, nn.Module)}


def _own_networks(recipe: Recipe) -> dict[str, OwnNetwork]:
    """Return the networks of a recipe that were given as modules, classes or functions, by field."""
    players: dict[str, object] = {"generator": recipe.generator, "discriminator": recipe.discriminator}
    return {key: player for key, player in players.items() if isinstance(player, OwnNetwork)}
