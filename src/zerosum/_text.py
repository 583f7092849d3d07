"""Escaping of untrusted text for terminals."""

import unicodedata

_ESCAPED = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")  # control characters, direction marks, surrogates


def printable(text: object, kept: str = "") -> str:
    """The text with control and invalid characters escaped, as `\\x1b`; the characters in `kept` stay."""
    return "".join(
        c.encode("unicode_escape").decode() if c not in kept and unicodedata.category(c) in _ESCAPED else c
        for c in str(text)
    )
