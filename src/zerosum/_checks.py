"""Validation of the arguments of data sources and distributions."""


def require(spec: object, holds: bool, needs: str) -> None:
    """Raise `ValueError` with what the spec needs and what it was given, unless the condition holds."""
    if not holds:
        raise ValueError(f"{type(spec).__name__} needs {needs}, but was given {spec!r}")
