"""One way to refuse a source or a law whose numbers make no sense."""


def require(spec: object, holds: bool, needs: str) -> None:
    """Raise `ValueError` with what the spec needs and what it was given, unless that holds."""
    if not holds:
        raise ValueError(f"{type(spec).__name__} needs {needs}, but was given {spec!r}")
