"""Write `__init__.pyi` for zerosum and each of its rooms, so that type checkers and editors see what loads lazily.

    python -m scripts.stubs

A stub re-exports what its room finds in its own files (`zerosum/_rooms.py`); `tests/house` fails where one is stale.
"""

import importlib
from pathlib import Path
from types import ModuleType

import zerosum
from zerosum._rooms import Room, homes, submodules

HEAD = "# Written by `make stubs`; do not edit.\n"
ROOT = Path(__file__).parents[1]


def rooms(package: ModuleType = zerosum) -> list[ModuleType]:
    """The rooms in a package, those within rooms included."""
    found = [
        importlib.import_module(f"{package.__name__}.{name}")
        for folder in package.__path__
        for name in sorted(path.parent.name for path in Path(folder).glob("*/__init__.py"))
    ]
    return [room for module in found if isinstance(module, Room) for room in (module, *rooms(module))]


def stub(package: ModuleType, parts: dict[str, str]) -> str:
    """The text of a package's stub: its docstring, its modules, and its parts with the module that defines each."""
    lines = [f"from {package.__name__} import {name} as {name}" for name in submodules(package) if name not in parts]
    lines += sorted(f"from {module} import {name} as {name}" for name, module in parts.items())
    return f'{HEAD}"""{package.__doc__}"""\n\n' + "\n".join(lines) + "\n"


def stubs() -> dict[Path, str]:
    """The text of every stub, by its path from the root of the repository."""
    texts = {room.__name__: stub(room, homes(room)) for room in (zerosum, *rooms())}
    texts[zerosum.__name__] += "\n__version__: str\n"
    return {Path("src", *name.split("."), "__init__.pyi"): text for name, text in texts.items()}


def main() -> None:
    """Write the stubs that have changed, and take away those of rooms that are gone."""
    texts = stubs()
    for path in {path.relative_to(ROOT) for path in (ROOT / "src").rglob("__init__.pyi")} - texts.keys():
        (ROOT / path).unlink()
        print(f"removed {path}")
    for path, text in texts.items():
        if not (ROOT / path).is_file() or (ROOT / path).read_text(encoding="utf-8") != text:
            (ROOT / path).write_text(text, encoding="utf-8")
            print(f"wrote {path}")


if __name__ == "__main__":
    main()
