"""Parts and recipes from somebody's own Python files and modules, which are run only where a user names them."""

__all__ = ["recipe_in", "used"]

import hashlib
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from zerosum.recipes.own_networks import OwnDiscriminator, OwnGenerator, module_key, modules_by_key
from zerosum.recipes.reader import vocabulary
from zerosum.recipes.recipe import Recipe


def used(names: Iterable[str]) -> dict[str, Any]:
    """What Python files and modules define, by name: classes, functions, and modules of PyTorch; for `known`.

    Each is imported, and so runs. Files in the folder of a file can be imported by it.

    Args:
        names: files that end in `.py`, perhaps with `:NAME` after it, or dotted names of modules.

    Raises:
        ValueError: where one cannot be imported, or has a class by the name of one of ours.
    """
    known: dict[str, Any] = {}
    for name in names:
        module = _module(_split(name)[0])
        own = {key: value for key, value in vars(module).items() if not key.startswith("_") and _is_own(value)}
        clash = sorted(key for key, value in own.items() if key in vocabulary() and value is not vocabulary()[key])
        if clash:
            raise ValueError(f"{name} defines {clash[0]}, which zerosum has too: rename it, so that texts are clear")
        networks = {f"{r.name} {f}": v for r in _held(module) for f, v in _networks(r).items()}
        known |= {**own, **modules_by_key(own), **modules_by_key(networks)}
    return known


def is_file(name: str) -> bool:
    """Whether a text names a Python file, perhaps with `:NAME` after it."""
    return _split(name)[0].endswith(".py")


def recipe_in(name: str) -> Recipe:
    """The recipe that a Python file defines: a `Recipe`, or what a function annotated `-> Recipe` returns.

    Args:
        name: the file; with `:NAME` after it, where it defines several and none is called `recipe`.

    Raises:
        ValueError: where the file cannot be imported, or what is asked for is not there.
    """
    file, wanted = _split(name)
    module = _module(file)
    there = _recipes(module)
    if wanted:
        if wanted not in vars(module):
            raise ValueError(f"{file} has no {wanted!r}{_choice(there)}")
        return _called(f"{file}:{wanted}", vars(module)[wanted])
    if not there:
        raise ValueError(f"{file} defines no recipe: write one in it, as recipe = replace(dcgan(), ...)")
    if len(there) > 1 and "recipe" not in there:
        raise ValueError(f"{file} defines several recipes: choose one, as {file}:{next(iter(there))}{_choice(there)}")
    key = "recipe" if "recipe" in there else next(iter(there))
    return _called(f"{file}:{key}", there[key])


def sources(value: object) -> dict[str, str]:
    """For the record of a run: file and sha256 of each part of a recipe that is not of zerosum, by its class's name."""
    return {part.__name__: _fingerprint(part) for part in _own_parts(value)}


def own_types(value: object) -> dict[str, type]:
    """The dataclasses of somebody's own of which a recipe is made, by name: what it takes to read its text.

    Raises `ValueError` where one has the name of one of ours, or two of them share a name.
    """
    found: dict[str, type] = {}
    for part in _own_parts(value):
        name = part.__name__
        if not (isinstance(part, type) and is_dataclass(part)):
            continue  # a network, which is found again by `OwnGenerator`
        if found.get(name, part) is not part or name in vocabulary():
            whose = "zerosum" if name in vocabulary() else "another part of this recipe"
            raise ValueError(f"{whose} has a class {name} too, and recipe text could not tell them apart: rename yours")
        found[name] = part
    return found


def known_of(recipe: Recipe) -> dict[str, Any]:
    """What is somebody's own of a recipe, by name: its dataclasses, and the networks that it was given."""
    players = (recipe.generator, recipe.discriminator)
    own = [player for player in players if isinstance(player, OwnGenerator | OwnDiscriminator)]
    networks = {module_key(player.name, player.parameters): player.given for player in own if player.given is not None}
    return {**own_types(recipe), **networks}


def _own_parts(value: object) -> Iterable[Any]:
    if isinstance(value, tuple):
        for item in value:
            yield from _own_parts(item)
    elif isinstance(value, OwnGenerator | OwnDiscriminator):
        if value.given is not None:
            yield type(value.given) if isinstance(value.given, nn.Module) else value.given
    elif is_dataclass(value) and not isinstance(value, type):
        if not _is_ours(type(value)):
            yield type(value)
        for f in fields(value):
            yield from _own_parts(getattr(value, f.name))


def _fingerprint(part: Any) -> str:
    try:
        path = Path(inspect.getfile(part))
        return f"{path.name}, sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}"
    except (TypeError, OSError):
        return "typed into a session: it has no file"


def _split(name: str) -> tuple[str, str]:
    """A file or module, and what is asked for in it."""
    before, colon, after = name.rpartition(":")
    return (before, after) if colon and before.endswith(".py") else (name, "")


def _module(name: str) -> ModuleType:
    """Import a file or a module, once."""
    if name.endswith(".py") and not Path(name).expanduser().is_file():
        raise ValueError(f"there is no file {name}")
    try:
        return _file(Path(name)) if name.endswith(".py") else importlib.import_module(name)
    except Exception as error:
        raise ValueError(f"{name} cannot be used: {type(error).__name__}: {error}{_line(error, name)}") from error


def _file(path: Path) -> ModuleType:
    path = path.expanduser().resolve(strict=True)
    name = f"{path.stem}-{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"  # a name that no import can meet
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None, "a file that ends in .py has a loader"
    module = importlib.util.module_from_spec(spec)
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))  # at the end: its neighbours stand in for none of what is installed
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _line(error: BaseException, name: str) -> str:
    """Where in the file an error arose, if it did there."""
    place, trace = "", error.__traceback__
    while trace is not None:
        if Path(trace.tb_frame.f_code.co_filename).name == Path(name).name:
            place = f" (line {trace.tb_lineno})"
        trace = trace.tb_next
    return place


def _is_own(value: object) -> bool:
    if isinstance(value, type) or inspect.isfunction(value):
        return not _is_ours(value)
    return isinstance(value, nn.Module)


def _is_ours(part: Any) -> bool:
    """Whether a class or function is one of ours, of PyTorch or of Python, and nobody's own."""
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


def _choice(there: Iterable[str]) -> str:
    names = ", ".join(there)
    return f"; it defines {names}" if names else "; it defines no recipe"


def _recipes(module: ModuleType) -> dict[str, Any]:
    own = {key: value for key, value in vars(module).items() if not key.startswith("_")}
    return {key: value for key, value in own.items() if _makes_recipe(value, module)}


def _held(module: ModuleType) -> list[Recipe]:
    """The recipes of a file, whose networks may be modules that have no name of their own."""
    return [_called(key, value) for key, value in _recipes(module).items()]


def _networks(recipe: Recipe) -> dict[str, nn.Module]:
    players = {"generator": recipe.generator, "discriminator": recipe.discriminator}
    own = {key: value.given for key, value in players.items() if isinstance(value, OwnGenerator | OwnDiscriminator)}
    return {key: value for key, value in own.items() if isinstance(value, nn.Module)}
