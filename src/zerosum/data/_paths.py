"""Find a path, or say in one sentence what is there instead."""

import difflib
from pathlib import Path


def existing(path: str | Path) -> Path:
    """Return the path (~ expanded) if it exists; else raise `ValueError` that names what is there alike."""
    found = Path(path).expanduser()
    if found.exists():
        return found
    missing = found
    while missing.parent != missing and not missing.parent.exists():
        missing = missing.parent
    siblings = [entry.name for entry in missing.parent.iterdir()] if missing.parent.is_dir() else []
    alike = difflib.get_close_matches(missing.name, siblings, n=3)
    hint = f": did you mean {' or '.join(str(missing.parent / name) for name in alike)}?" if alike else ""
    raise ValueError(f"there is no {missing}{hint}")
