"""Escaping of untrusted text for terminals, and durations in words."""

import unicodedata

_ESCAPED = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")  # control characters, direction marks, surrogates


def printable(text: object, kept: str = "") -> str:
    """The text with control and invalid characters escaped, as `\\x1b`; the characters in `kept` stay."""
    return "".join(
        c.encode("unicode_escape").decode() if c not in kept and unicodedata.category(c) in _ESCAPED else c
        for c in str(text)
    )


def duration(seconds: float) -> str:
    """Format a duration in its two largest units."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes_left = divmod(minutes, 60)
    if hours >= 48:
        return f"{hours // 24} days {hours % 24} h"
    if hours:
        return f"{hours} h {minutes_left:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{seconds:.2g} s" if seconds < 10 else f"{rest} s"
