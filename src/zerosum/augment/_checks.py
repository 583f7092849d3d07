"""Validation of the arguments of transformations and augmentations."""


def check_probability(name: str, value: float) -> None:
    """Raise `ValueError` unless the value is in [0, 1]."""
    if not 0 <= value <= 1:
        raise ValueError(f"{name} is a share in [0, 1]; found {value}")


def check_strength(name: str, value: float) -> None:
    """Raise `ValueError` unless the value is finite and at least 0."""
    if not 0 <= value < float("inf"):
        raise ValueError(f"{name} is a strength of at least 0; found {value}")
