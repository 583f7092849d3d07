"""The size parameter of a network family, which determines widths and depth."""

__all__ = ()


def check_dial(size: int, least: int = 4) -> None:
    """Raise `ValueError` unless `size` is large enough for a network to be built of."""
    if size < least:
        raise ValueError(f"size sets the width and depth of the network, at least {least}; found {size}")
