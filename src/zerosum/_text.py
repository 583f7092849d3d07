"""Text with names from outside in it, as a terminal can be given it."""

import unicodedata

_UNSHOWN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")  # controls, marks that turn text round, halves of characters


def printable(text: object, kept: str = "") -> str:
    """The text with what a terminal would obey, and what is no character, written out as `\\x1b`; `kept` stay."""
    return "".join(
        c.encode("unicode_escape").decode() if c not in kept and unicodedata.category(c) in _UNSHOWN else c
        for c in str(text)
    )
