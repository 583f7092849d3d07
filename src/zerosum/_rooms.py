"""Rooms: packages that export the public names of their modules, without a registry.

A new objective, term, network, data source or recipe is one class or function in one file, and its room finds it there.
So the Python namespace, the stubs for editors and type checkers, the recipe reader, the command line and the product
tests all include it, and no list can get out of date.

A room exports the public classes and functions of its public modules and of their subfolders. A module with public
names that are not part of the API lists those that are in `__all__`. Modules and names that start with `_` are private.
A subfolder that is a room itself exports its own names.
"""

import ast
import difflib
import importlib
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any


class Room(ModuleType):
    """A package whose names load on first use, each with the module that defines it.

    A name may equal that of its module (`evaluate` in `evaluate.py`): then it is the part, not the module.
    """

    def __getattr__(self, name: str) -> Any:
        """Return the part or module of that name, or `__all__`; raise `AttributeError` if there is none."""
        if name == "__all__":
            return list(homes(self))
        if name.startswith("_"):
            raise AttributeError(f"{self.__name__} has no {name!r}")
        home = homes(self, name).get(name)
        if home:
            return getattr(importlib.import_module(home), name)
        if name in submodules(self):
            return importlib.import_module(f"{self.__name__}.{name}")
        close = difflib.get_close_matches(name, dir(self)) or dir(self)
        raise AttributeError(f"{self.__name__} has no {name!r}; there is {', '.join(close)}")

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute; for a module that defines a part of its own name, set the part."""
        part = vars(value).get(name) if isinstance(value, ModuleType) else None
        is_defined_there = part is not None and getattr(part, "__module__", None) == value.__name__
        super().__setattr__(name, part if is_defined_there else value)

    def __dir__(self) -> list[str]:
        return sorted({*homes(self), *submodules(self)})


def open_room(package: str) -> None:
    """Make a package a room; the only statement in a room's `__init__.py`."""
    sys.modules[package].__class__ = Room


def homes(package: ModuleType, word: str = "") -> dict[str, str]:
    """The names that belong to a package and the module that defines each, sorted; nothing is imported.

    `word` limits the search to files that contain it, which is faster for a single name.

    Raises `ValueError` when two of the modules define the same name, since one would hide the other.
    """
    if "_HOMES" in vars(package):
        return dict(vars(package)["_HOMES"])
    found: dict[str, str] = {}
    for module, path in _files(package):
        text = path.read_bytes()
        for name in _parts(text) if word.encode() in text else ():
            if name in found:
                raise ValueError(f"{name} is defined twice in {package.__name__}: rename one of the two")
            found[name] = module
    return dict(sorted(found.items()))


def submodules(package: ModuleType) -> list[str]:
    """The names of the public modules and packages directly in a package, sorted."""
    return sorted(path.stem for path in _entries(package))


def modules(package: str) -> list[ModuleType]:
    """Import and return the public modules of a package and of its subfolders, without the rooms among these."""
    return [importlib.import_module(module) for module, _ in _files(importlib.import_module(package))]


def public(package: str) -> dict[str, Any]:
    """Return the public classes and functions that belong to a package, by name.

    Raises `ValueError` when two modules define the same public name, since one would hide the other.
    """
    found = homes(importlib.import_module(package))
    return {name: getattr(importlib.import_module(home), name) for name, home in found.items()}


def _files(package: ModuleType) -> Iterator[tuple[str, Path]]:
    for path in _entries(package):
        module = f"{package.__name__}.{path.stem}"
        if path.suffix:
            yield module, path
        elif not isinstance(folder := importlib.import_module(module), Room):
            yield from _files(folder)


def _entries(package: ModuleType) -> list[Path]:
    """The files of the public modules and the folders of the public packages directly in a package."""
    found = [path for folder in package.__path__ for path in Path(folder).iterdir() if not path.name.startswith("_")]
    return sorted(path for path in found if path.suffix == ".py" or (path / "__init__.py").is_file())


@cache
def _parts(text: bytes) -> tuple[str, ...]:
    """The names that a module exports: those in `__all__`, or else its public classes and functions."""
    body = ast.parse(text).body
    for node in body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["__all__"]:
            return tuple(ast.literal_eval(node.value))
    defined = [node.name for node in body if isinstance(node, ast.ClassDef | ast.FunctionDef)]
    return tuple(name for name in defined if not name.startswith("_"))
