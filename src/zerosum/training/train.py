"""Train a recipe."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from zerosum._paths import AnyPath, user_path
from zerosum._streams import open_closed_descriptors
from zerosum.data.held_out import around
from zerosum.data.resolve import source
from zerosum.data.scaling import measured, standardised
from zerosum.recipes.auto import AUTO, MINUTES, Choice, choose_recipe
from zerosum.recipes.named_recipes import catalogue, named
from zerosum.recipes.reader import read_recipe
from zerosum.recipes.recipe import Recipe
from zerosum.recipes.using import known_of
from zerosum.runs.files import RECIPE
from zerosum.runs.run import Run
from zerosum.training.device import choose_precision, keep_memory
from zerosum.training.faults import explained
from zerosum.training.folder import folder_for, storable
from zerosum.training.options import RunOptions
from zerosum.training.pace import timed
from zerosum.training.ranks import RankGroup, is_distributed, is_main_process, joined, report_once
from zerosum.training.same_run import check_same_run
from zerosum.training.session import Session
from zerosum.training.signals import StopRequest

_USUAL = RunOptions()
_LONGEST = 200  # bytes of a folder's name


def train(
    recipe: Recipe | AnyPath,
    out: AnyPath | None = None,
    *,
    data: Any = None,
    images: int | None = None,
    seed: int | None = None,
    device: str = "auto",
    options: RunOptions = _USUAL,
    quiet: bool = False,
) -> Run:
    """Train a recipe, or continue the run in a folder, and return the run.

    The same call on the folder of an incomplete run resumes it from its newest checkpoint, bit for bit as if it had
    never stopped. So does `train(run)`; with other `images` than before it continues the run for that length, where
    nothing in the recipe follows the share of the run that is done. Ctrl-C (SIGINT) finishes the iteration, saves, and
    raises `Interrupted`, a `KeyboardInterrupt`; SIGTERM and SIGHUP do the same and raise `Terminated`, a `SystemExit`.
    A second signal stops at once.
    Under torchrun all processes train one run, and the first one writes files and prints.

    Args:
        recipe: a recipe, or the name of one; `auto` to choose one for the data (`choose_recipe`), trained for 20
            minutes where no length is given; or a run, or its folder, to continue.
        out: the run folder; by default that of the given run, or `runs/NAME`, and `runs/NAME-2`, ... where another
            recipe's run is there.
        data: replaces the recipe's data: a source, a path, an array or a torch dataset.
        images: replaces the recipe's training length, in images.
        seed: replaces the recipe's seed.
        device: `auto`, `cpu`, `cuda` or `mps`.
        options: options of the run that do not change what is trained.
        quiet: show no progress.

    Raises:
        ValueError: where the recipe cannot be trained.
        NonFiniteError: on the first NaN/Inf in a loss or gradient; the last checkpoint is kept.
        RankLostError: under torchrun, where another process exited; the last checkpoint is kept.
        OSError, MemoryError: where disk or memory is full; the last checkpoint is kept.
    """
    open_closed_descriptors()
    with report_once():
        notes: list[str] = []
        if recipe == AUTO:
            choice = _chosen_for(data, device)
            recipe, data, notes = choice.recipe, None, [*choice.reasons]
            options = options if images is not None else replace(options, minutes=options.minutes or MINUTES)
        recipe, out = (recipe, out) if isinstance(recipe, Recipe) else _found(recipe, out)
        recipe = _changed(recipe, data, images, seed)
        if images is not None and options.minutes is not None:
            raise ValueError("images and minutes both set the length of a run: give one of them")
    run = user_path(out) if out is not None else _usual_folder(recipe.name)
    words = "" if quiet or not is_main_process() else "stopped before training started"
    with StopRequest(at_once=True, words=words, patient=is_distributed()) as stop, joined(device) as group:
        session = _session(recipe, run, out is None, group, options, notes)
        with explained(session.run, session.recipe, session.dataset.shape, session.precision):
            session.play(stop, quiet)
    return Run(session.run, known_of(recipe))


def _session(
    recipe: Recipe, run: Path, search: bool, group: RankGroup, options: RunOptions, notes: list[str]
) -> Session:
    """Open the data, measure a length in minutes, and choose the folder, with `search` among RUN-2, ... too."""
    with explained(run, recipe):
        opened = recipe.data.open()
        dataset = standardised(opened, measured(opened))
    precision = choose_precision(recipe.precision, group.device, dataset.is_image)
    keep_memory()
    with explained(run, recipe):
        check_same_run(group, recipe, dataset, precision, options)  # before their first common calculation
    if options.minutes is not None:
        with explained(run, recipe, dataset.shape, precision):
            recipe, note = timed(recipe, dataset, group, precision, options.minutes, run, search)
        notes = [*notes, note]
    if search and is_main_process():
        run, note = folder_for(run, storable(recipe, dataset), dataset)
        notes = [*notes, note]
    return Session(recipe, run, dataset, group, precision, options, (*notes,))


def _chosen_for(data: Any, device: str) -> Choice:
    if data is None:
        raise ValueError("auto chooses a recipe for data: give data (--data)")
    return choose_recipe(data, device)


def _changed(recipe: Recipe, data: Any, images: int | None, seed: int | None) -> Recipe:
    """The recipe with what is given in place of its own."""
    own = None if data is None else around(recipe.data, source(data))
    changes: dict[str, Any] = {"data": own, "images": images, "seed": seed}
    return replace(recipe, **{name: value for name, value in changes.items() if value is not None})


def _found(recipe: AnyPath, out: AnyPath | None) -> tuple[Recipe, AnyPath | None]:
    """The recipe of a name, or of a run, with the folder to train in."""
    if isinstance(recipe, str) and (recipe in catalogue() or not (user_path(recipe) / RECIPE).is_file()):
        return named(recipe), out
    run = recipe if isinstance(recipe, Run) else Run(recipe)
    return read_recipe(run.recipe_text, run.known), run.path if out is None else out


def _usual_folder(name: str) -> Path:
    """`runs/NAME`; raises `ValueError` for a name that leads elsewhere, since anybody may have written the recipe."""
    if name != Path(name).name or name in ("", ".", "..") or not name.isprintable() or len(name.encode()) > _LONGEST:
        raise ValueError(f"the recipe's name {name!a:.80} cannot be that of a folder in runs/: name one with --out")
    return Path("runs") / name
