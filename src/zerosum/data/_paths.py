"""Find a path, or say in one sentence what is there instead."""

import difflib
import unicodedata
from pathlib import Path

_UNSHOWN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")  # controls, marks that turn text round, halves of characters
_LONGEST = 400


def existing(path: str | Path) -> Path:
    """Return the path (~ expanded) if it exists; else raise `ValueError` that names what is there alike."""
    found = Path(path).expanduser()
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
    """A name as it may be shown: what a terminal would obey and what is no character is written out, as `\\x1b`.

    Of a very long one the middle is left out.
    """
    whole = str(text)
    if len(whole) > _LONGEST:
        whole = f"{whole[: _LONGEST // 2]}...{whole[-_LONGEST // 2 :]}"
    return "".join(
        one.encode("unicode_escape").decode() if unicodedata.category(one) in _UNSHOWN else one for one in whole
    )
