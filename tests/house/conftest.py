"""The repository as data: every Python file, parsed once."""

import ast
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Source:
    """One Python file: its path from the root, its text and its syntax tree."""

    path: str
    text: str
    tree: ast.Module

    @property
    def module(self) -> str:
        """Dotted name of a file under src, such as `zerosum.game.turn`."""
        return ".".join(Path(self.path).with_suffix("").parts[1:]).removesuffix(".__init__")

    @property
    def room(self) -> str:
        """The package under `zerosum` that the file is in; empty for the files beside the rooms."""
        parts = self.module.split(".")
        return parts[1] if len(parts) > 2 or (self.path.endswith("__init__.py") and len(parts) == 2) else ""


def _parsed(folder: str) -> list[Source]:
    found = []
    for path in sorted((ROOT / folder).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        found.append(Source(path.relative_to(ROOT).as_posix(), text, ast.parse(text)))
    return found


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root."""
    return ROOT


@pytest.fixture(scope="session")
def library() -> list[Source]:
    """The files of the package."""
    return _parsed("src")


@pytest.fixture(scope="session")
def everything(library) -> list[Source]:
    """All Python files of the repository."""
    return library + [
        source for folder in ("tests", "benchmarks", "scripts", "examples", "docs") for source in _parsed(folder)
    ]
