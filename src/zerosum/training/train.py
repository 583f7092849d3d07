"""Training a recipe into a run folder."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from zerosum.data.resolve import source
from zerosum.recipes.named_recipes import named
from zerosum.recipes.recipe import Recipe
from zerosum.recipes.using import known_of
from zerosum.runs.files import AnyPath
from zerosum.runs.run import Run
from zerosum.training.device import choose_precision, keep_memory
from zerosum.training.faults import explained
from zerosum.training.options import RunOptions
from zerosum.training.ranks import is_distributed, is_main_process, joined, report_once
from zerosum.training.session import Session
from zerosum.training.signals import StopRequest

_USUAL = RunOptions()


def train(
    recipe: Recipe | str,
    out: AnyPath | None = None,
    *,
    data: Any = None,
    images: int | None = None,
    seed: int | None = None,
    device: str = "auto",
    options: RunOptions = _USUAL,
    quiet: bool = False,
) -> Run:
    """Train a recipe into a run folder, or continue the run that the folder holds, and return the run.

    The same call on a folder that holds an unfinished run continues it exactly where its newest checkpoint was taken,
    bit for bit as if it had never stopped. SIGINT and SIGTERM finish the round, save, and raise `Interrupted`; a second
    one ends at once. Under torchrun all processes play one run together, of which the first writes and speaks.

    Args:
        recipe: a recipe, or the name of one.
        out: the run folder; `runs/NAME` by default.
        data: other data than the recipe's: a source, a path, an array or a torch dataset.
        images: another length of the run than the recipe's.
        seed: another seed than the recipe's.
        device: `auto`, `cpu`, `cuda` or `mps`.
        options: options of the run that do not change what is trained.
        quiet: show no progress.

    Raises:
        ValueError: for what cannot be trained, in one sentence.
        NonFiniteError: at the first loss or gradient that is not a number; the last checkpoint stays.
        RankLostError: under torchrun, where another process is gone; the last checkpoint stays.
        OSError, MemoryError: where the disk or the memory does not suffice, in one sentence; the last checkpoint stays.
    """
    with report_once():
        recipe = named(recipe) if isinstance(recipe, str) else recipe
        changes: dict[str, Any] = {"data": None if data is None else source(data), "images": images, "seed": seed}
        recipe = replace(recipe, **{name: value for name, value in changes.items() if value is not None})
    run = Path(out) if out is not None else Path("runs") / recipe.name
    words = "" if quiet or not is_main_process() else "stopped before anything was trained"
    with StopRequest(at_once=True, words=words, patient=is_distributed()) as stop, joined(device) as group:
        with explained(run, recipe):
            dataset = recipe.data.open()
        precision = choose_precision(recipe.precision, group.device, dataset.is_image)
        keep_memory()
        with explained(run, recipe, dataset.shape, precision):
            Session(recipe, run, dataset, group, precision, options).play(stop, quiet)
    return Run(run, known_of(recipe))
