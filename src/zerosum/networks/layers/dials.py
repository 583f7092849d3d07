"""The one dial of size that each family has, from which widths and depth follow."""

__all__ = ()


def check_dial(size: int, least: int = 4) -> None:
    """Raise `ValueError` unless `size` is large enough for a network to be built of."""
    if size < least:
        raise ValueError(f"size is the network's one dial of width and depth, at least {least}; found {size}")
