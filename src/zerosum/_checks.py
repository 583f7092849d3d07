"""Validation of the arguments of data sources and distributions."""

import math

MOST_MODES = 1 << 16  # of a set of points: each is a class with a name
_MOST_BYTES = 1 << 33  # of a set that is drawn into memory


def require(spec: object, holds: bool, needs: str) -> None:
    """Raise `ValueError` with what the spec needs and what it was given, unless the condition holds."""
    if not holds:
        raise ValueError(f"{type(spec).__name__} needs {needs}, but was given {spec!r}")


def require_room(spec: object, *sizes: int) -> None:
    """Raise `ValueError` where a set that is drawn into memory would take too much; the sizes give its bytes."""
    taken = math.prod(sizes)
    require(
        spec, taken <= _MOST_BYTES, f"a size of at most {_MOST_BYTES / 1e9:.1f} GB in memory, not {taken / 1e9:,.1f}"
    )
