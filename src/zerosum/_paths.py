"""Paths as users write them: with ~, trailing slashes, or a constructor of recipe text in their place."""

import os
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

AnyPath = str | os.PathLike[str]
_IS_PATH = "path"
PATH: Mapping[str, bool] = {_IS_PATH: True}  # metadata of a dataclass's field that names a file or folder
_CONSTRUCTOR = re.compile(r"\s*[A-Za-z_]\w*\(.*\)\s*", re.DOTALL)


def user_path(path: AnyPath) -> Path:
    """The path with ~ or ~USER expanded; raises `ValueError` for an empty path, and where there is no home folder."""
    text = _text(path)
    try:
        return Path(text).expanduser()
    except RuntimeError:
        home = text.partition("/")[0]
        raise ValueError(f"{text} begins with a home folder that does not exist, {home}: write it in full") from None


def home_folder() -> Path:
    """The home folder of this user; raises `OSError` if there is none."""
    try:
        return Path.home()
    except RuntimeError:
        raise OSError("there is no home folder: set HOME, or XDG_CACHE_HOME for caches alone") from None


def tidy(path: AnyPath) -> str:
    """One text for each spelling of a path: without trailing, doubled or leading ./ slashes; URLs stay as they are.

    Raises `ValueError` for an empty path.
    """
    text = _text(path)
    return text if "://" in text else str(Path(text))


def _text(path: AnyPath) -> str:
    text = os.fspath(path)
    if not text:
        raise ValueError("a path is empty: name a file or folder (. for the current folder)")
    return text


def is_constructor(text: str) -> bool:
    """Whether a text is recipe text such as `Ring(modes=5)` and not a path that exists."""
    return _CONSTRUCTOR.fullmatch(text) is not None and not user_path(text).exists()


def current_folder_exists() -> bool:
    """Whether the current folder has not been deleted."""
    try:
        return Path.cwd().is_dir()
    except OSError:
        return False


def tidy_paths(spec: Any) -> None:
    """Give the path fields of a new source one spelling, as text, so that equal paths are equal sources."""
    for f in fields(spec):
        value = getattr(spec, f.name)
        if _IS_PATH in f.metadata and isinstance(value, str | Path):
            object.__setattr__(spec, f.name, tidy(value))


def differ_in_paths_alone(before: Any, after: Any) -> bool:
    """Whether two sources are equal but for their paths: one data set, if its samples are the same."""
    if type(before) is not type(after) or not is_dataclass(before) or isinstance(before, type):
        return bool(before == after)
    for f in fields(before):
        old, new = getattr(before, f.name), getattr(after, f.name)
        named = _IS_PATH in f.metadata and isinstance(old, str) and isinstance(new, str)
        if not named and not differ_in_paths_alone(old, new):
            return False
    return True
