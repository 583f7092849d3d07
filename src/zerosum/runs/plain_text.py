"""Text that may hold names from outside, as one that a terminal can be given."""


def printable(text: str) -> str:
    """The text with whatever is no printable character written out, as `\\x1b`: nobody's names move the cursor."""
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)
