"""Checks of what transformations and augmentations are made with."""


def check_probability(name: str, value: float) -> None:
    """Raises `ValueError` unless the value is a share."""
    if not 0 <= value <= 1:
        raise ValueError(f"{name} is a share in [0, 1]; found {value}")


def check_strength(name: str, value: float) -> None:
    """Raises `ValueError` unless the value is a strength."""
    if not 0 <= value < float("inf"):
        raise ValueError(f"{name} is a strength of at least 0; found {value}")
