"""The size parameter of a network family, which determines widths and depth."""

__all__ = ()


def check_dial(size: int, least: int = 4) -> None:
    """Raise `ValueError` unless `size` is large enough for a network to be built of."""
    if size < least:
        raise ValueError(f"size sets the width and depth of the network, at least {least}; found {size}")


def check_full(full: int) -> None:
    """Raise `ValueError` unless at least one size of maps has the full width."""
    if full < 1:
        raise ValueError(f"full counts the sizes of full width, at least 1; found {full}")


def widths_of(size: int, stages: int, full: int) -> list[int]:
    """Channels from the smallest map up: `size` for `full` stages, then halved with each, at least 4."""
    return [max(size >> max(stage + 1 - full, 0), 4) for stage in range(stages)]
