"""When check-ups take place, and on how many samples: functions of the recipe alone, not of the length of the run."""

__all__ = ()

from collections.abc import Iterator

from zerosum.recipes.recipe import Recipe

_FIRST = 32  # batches before the first check-up, and at least between two
_GROWTH = 2**0.5 - 1  # of the images so far, until the next one, at most
_APART = 128  # batches between two in the long run, at least
_MOST, _LEAST = 256, 64  # samples of each set


def samples_of(recipe: Recipe) -> int:
    """The number of samples in a check-up: 4 batches, from 64 to 256."""
    return min(_MOST, max(_LEAST, 4 * recipe.batch))


def positions(recipe: Recipe, images: int = 0) -> Iterator[int]:
    """Yield the positions of check-ups after `images` images: in a geometric sequence, then one per snapshot."""
    batch = recipe.batch
    widest, position = max(recipe.snapshot, _APART * batch), _FIRST * batch
    while True:
        if position > images:
            yield position
        position += max(_FIRST * batch, min(int(_GROWTH * position), widest))
