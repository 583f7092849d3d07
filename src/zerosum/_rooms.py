"""How a room (a package) shows what is in it, without anybody keeping a list.

A new objective, term, network, data source or recipe is one class or function in one file: its room finds
it there. So the Python namespace, the recipe reader, the command line and the tests that run the whole
product all learn of it at once, and no registry can fall out of step with the code.
"""

import difflib
import importlib
import pkgutil
from types import ModuleType
from typing import Any


def modules(package: str) -> list[ModuleType]:
    """Import and return the modules directly in a package, by name (those starting with `_` are private)."""
    paths = importlib.import_module(package).__path__
    names = sorted(info.name for info in pkgutil.iter_modules(paths) if not info.name.startswith("_"))
    return [importlib.import_module(f"{package}.{name}") for name in names]


def public(package: str) -> dict[str, Any]:
    """Return the public classes and functions defined in a package's modules, by name.

    Raises `ValueError` when two modules define the same public name, since one would hide the other.
    """
    found: dict[str, Any] = {}
    for module in modules(package):
        for name, value in vars(module).items():
            if name.startswith("_") or getattr(value, "__module__", None) != module.__name__:
                continue
            if name in found:
                raise ValueError(f"{name} is defined twice in {package}: rename one of the two")
            found[name] = value
    return dict(sorted(found.items()))


def find(package: str, name: str) -> Any:
    """What a room's `__getattr__` answers: the public class or function of that name, or `__all__`.

    Raises `AttributeError`, with the likely names, where there is none.
    """
    if name.startswith("__") and name != "__all__":
        raise AttributeError(f"{package} has no {name!r}")
    names = public(package)
    if name == "__all__":
        return list(names)
    if name not in names:
        close = difflib.get_close_matches(name, names) or names
        raise AttributeError(f"{package} has no {name!r}; there is {', '.join(close)}")
    return names[name]
