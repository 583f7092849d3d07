"""Check that paths exist, with suggestions of similar names, and print names safely."""

import difflib
from pathlib import Path

from zerosum._paths import AnyPath, user_path
from zerosum._text import printable as escaped

_LONGEST = 400


def existing(path: AnyPath) -> Path:
    """Return the path (~ expanded) if it exists; else raise `ValueError` that suggests similar names."""
    found = user_path(path)
    if found.is_file() or found.is_dir():
        return found
    if found.exists():
        raise ValueError(f"{found} is neither a file nor a folder")
    missing = found
    while missing.parent != missing and not missing.parent.exists():
        missing = missing.parent
    siblings = [entry.name for entry in missing.parent.iterdir()] if missing.parent.is_dir() else []
    alike = difflib.get_close_matches(missing.name, siblings, n=3)
    hint = f": did you mean {' or '.join(str(missing.parent / name) for name in alike)}?" if alike else ""
    raise ValueError(f"there is no {missing}{hint}")


def printable(text: object) -> str:
    """A name with control characters escaped (see `zerosum._text`) and the middle of a very long one omitted."""
    whole = str(text)
    if len(whole) > _LONGEST:
        whole = f"{whole[: _LONGEST // 2]}...{whole[-_LONGEST // 2 :]}"
    return escaped(whole)
