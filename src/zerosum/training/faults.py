"""Error messages for a full disk and for too little memory."""

__all__ = ()

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zerosum._faults import FULL, is_of_memory
from zerosum.recipes.recipe import Recipe
from zerosum.runs.checkpoint import checkpoints


@contextmanager
def explained(run: Path, recipe: Recipe, shape: tuple[int, ...] = (), precision: str = "") -> Iterator[None]:
    """Raise errors for a full disk or too little memory with what is saved and what to do.

    Args:
        run: the run folder.
        recipe: what is trained in it.
        shape: shape of one sample; empty while the data set is opened.
        precision: `float32` or `bfloat16`.

    Raises:
        OSError: for a full disk, in one sentence.
        MemoryError: for too little memory, in one sentence.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise OSError(
            f"{FULL[error.errno]}: make room for {run} and give the same command again; {_safe(run)}"
        ) from None
    except (MemoryError, RuntimeError) as error:
        if not is_of_memory(error):
            raise
        if not shape:
            raise MemoryError(f"out of memory for the data, {recipe.data!a:.200}: give fewer or smaller ones") from None
        size = f"images of {shape[2]}x{shape[1]}" if len(shape) == 3 else f"points of {shape[0]} dimensions"
        lower = "" if precision == "bfloat16" else ", or --precision bfloat16 where the device has it"
        smaller = ", smaller images" if len(shape) == 3 else ""
        half = (recipe.micro_batch or recipe.batch) // 2 or 1
        parts = "" if recipe.batch % half else f" or micro_batch={half}, which gives the same gradients"
        raise MemoryError(
            f"out of memory with a batch of {recipe.batch} {size} in {precision}: try --set batch={half}{parts}"
            f"{smaller}, a smaller network{lower}, in a new folder, where --from {run} keeps the weights; {_safe(run)}"
        ) from None


def _safe(run: Path) -> str:
    """The newest checkpoint of a run, in words."""
    there = checkpoints(run)
    return f"the checkpoint after {int(there[0].name):,} images is saved" if there else "no checkpoint was saved yet"
