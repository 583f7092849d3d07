"""Open a run folder: a new one, or one to resume."""

__all__ = ()

import itertools
import json
import os
import platform
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path

import torch

from zerosum import __version__
from zerosum._disk import is_temporary, read_text, replace_durably
from zerosum._paths import differ_in_paths_alone
from zerosum.data.dataset import Dataset, Source
from zerosum.data.held_out import Deriving, around
from zerosum.data.sources.in_memory import InMemory
from zerosum.game.distributed import ranks
from zerosum.game.trainable import MAIN
from zerosum.recipes.differences import differences
from zerosum.recipes.length import follows_length
from zerosum.recipes.reader import read, read_recipe
from zerosum.recipes.recipe import Recipe, flat, pretty
from zerosum.recipes.using import own_types, sources
from zerosum.runs.checkpoint import Checkpoint, newest_checkpoint, set_aside, sweep
from zerosum.runs.files import COMMAND, GENERATOR, LOCK, MOST_TEXT, NAMES, RECIPE, VERSIONS
from zerosum.training.same_data import DATA, same_data

_OTHER_FOLDER = "name another folder with --out"


@dataclass(frozen=True, eq=False)
class Start:
    """Where a run starts: at its beginning (`checkpoint` None) or at a checkpoint, with messages to print."""

    checkpoint: Checkpoint | None
    messages: tuple[str, ...] = ()


def storable(recipe: Recipe, dataset: Dataset) -> Recipe:
    """The recipe with data that can be written as text: Python objects become `InMemory`, also within a source."""
    return replace(recipe, data=_storable(recipe.data, dataset.name))


def _storable(data: Source, name: str) -> Source:
    try:
        if read(flat(data), own_types(data)) == data:
            return data
    except ValueError:
        pass
    return around(data, _storable(data.source, name)) if isinstance(data, Deriving) else InMemory(name)


def check_readable(recipe: Recipe) -> None:
    """Raise `ValueError` where the text of a recipe would not be parsed back to an equal recipe."""
    try:
        again = read_recipe(pretty(recipe), own_types(recipe))
    except ValueError as error:
        raise ValueError(
            f"this recipe cannot be written as text, so its run could not be loaded: {error}; make your own parts "
            f"frozen dataclasses whose fields are numbers, strings, tuples or other parts"
        ) from None
    for f in fields(Recipe):
        before, after = getattr(recipe, f.name), getattr(again, f.name)
        if before != after:
            raise ValueError(
                f"{f.name} would be parsed back as {after!r:.200}, which is not equal to {before!r:.200}: make its "
                f"class a frozen dataclass that is compared by its fields"
            )


def folder_for(run: Path, recipe: Recipe, dataset: Dataset) -> tuple[Path, str]:
    """Choose the first of RUN, RUN-2, RUN-3, ... that is free or has the run of this recipe and data.

    Returns the folder, and a message if it is not RUN.
    """
    reasons = (refused(folder, recipe, dataset) for folder in numbered(run))
    found = [*itertools.takewhile(bool, reasons)]
    folder = next(itertools.islice(numbered(run), len(found), None))
    return folder, f"{found[0]}: training into {folder}" if found else ""


def numbered(run: Path) -> Iterator[Path]:
    """RUN, RUN-2, RUN-3, ... without end."""
    yield run
    yield from (run.with_name(f"{run.name}-{number}") for number in itertools.count(2))


def refused(folder: Path, recipe: Recipe, dataset: Dataset) -> str:
    """Why a folder cannot hold the run of a recipe; empty if it can."""
    text = folder / RECIPE
    try:
        check_folder(folder, recipe, longer=False)
        if text.exists() and read_recipe(read_text(text, MOST_TEXT), own_types(recipe)).data != recipe.data:
            found = newest_checkpoint(folder)  # of the same data at another place, or of others
            same_data(folder, None if found is None else found[1].numbers.get(DATA), dataset)
    except ValueError as error:
        return (
            str(error)
            .partition(f". {_OTHER_FOLDER.capitalize()}")[0]
            .partition(f": {_OTHER_FOLDER}")[0]
            .partition(". Restore")[0]
        )
    return ""


def check_folder(run: Path, recipe: Recipe, longer: bool = True) -> None:
    """Raise `ValueError` where a folder has the run of another recipe, naming the differences, other files, or links.

    Files of a run that was killed at its start are accepted; so is, with `longer`, a run of another length that can be
    continued exactly.
    """
    if run.exists() and not run.is_dir():
        raise ValueError(f"{run} is a file; --out must be a folder")
    if run.exists():
        _refuse_links(run)
    text = run / RECIPE
    if text.exists():
        _check_same_recipe(run, read_text(text, MOST_TEXT), recipe, longer)
    elif run.exists() and any(path.name != LOCK and not is_temporary(path.name) for path in run.iterdir()):
        raise ValueError(f"{run} is not empty and holds no run: {_OTHER_FOLDER}")


def open_run(
    run: Path, recipe: Recipe, check: Callable[[Checkpoint], None], generators: Iterable[str] = (MAIN,)
) -> Start:
    """Prepare the folder for the recipe: write its text, or find the checkpoint to resume from.

    Incomplete files of a killed process are removed, and unusable checkpoints are moved aside. The caller must hold the
    run's lock.

    Args:
        run: the folder.
        recipe: what is trained in it.
        check: raises `ValueError` for a complete checkpoint that does not fit.
        generators: the names of the game's generators.

    Raises:
        ValueError: where the folder has no run of this recipe, or no usable checkpoint.
    """
    check_folder(run, recipe)
    sweep(run)
    text = run / RECIPE
    if not text.exists():
        replace_durably(text, (pretty(recipe) + "\n").encode())
        return Start(None)
    before = read_recipe(read_text(text, MOST_TEXT), own_types(recipe), opaque=True).images
    found = newest_checkpoint(run, check)
    if found is None:
        ended = (run / GENERATOR).is_file()  # and its checkpoints were removed, to save room
        if before != recipe.images:
            raise ValueError(f"{run} has no checkpoint, so it cannot be continued for other than {before:,} images")
        return Start(None, () if ended else (f"{run} has a run without a checkpoint: starting from the beginning",))
    path, checkpoint, troubles = found
    seen = checkpoint.numbers["images"]
    messages = [*troubles, f"resuming after {seen:,} images ({path.name})"]
    if before != recipe.images:
        _change_length(run, recipe, seen, generators)
        messages.append(f"the run has {recipe.images:,} images instead of {before:,}")
    set_aside(run, seen)
    return Start(checkpoint, (*messages,))


def _change_length(run: Path, recipe: Recipe, seen: int, generators: Iterable[str]) -> None:
    """Make a run one of another length, from its checkpoint on."""
    if seen >= recipe.images:
        raise ValueError(f"{run} has seen {seen:,} images already: give more than that with --images")
    # Trained generators mean that a run is complete: they go first, so that no moment has them with the new length.
    for name in generators:
        (run / f"{name}.safetensors").unlink(missing_ok=True)
    replace_durably(run / RECIPE, (pretty(recipe) + "\n").encode())


def follow_data(run: Path, recipe: Recipe) -> tuple[str, ...]:
    """Write how the data are read from now on into the recipe's text; return a message where they were moved.

    Call it after the fingerprint of the data was found to be the run's.
    """
    text = read_text(run / RECIPE, MOST_TEXT)
    if text.strip() == pretty(recipe):
        return ()
    before = read_recipe(text, own_types(recipe), opaque=True).data
    replace_durably(run / RECIPE, (pretty(recipe) + "\n").encode())
    if before == recipe.data:
        return ()  # broken images are skipped from now on, or no longer
    return (f"the data are those of this run at another place: {flat(recipe.data)}, before {flat(before)}",)


def has_ended(run: Path, recipe: Recipe, start: Start) -> bool:
    """Whether a run is complete: all images seen, and `generator.safetensors`, the last file, written."""
    images = recipe.images if start.checkpoint is None else start.checkpoint.numbers["images"]
    return images >= recipe.images and (run / GENERATOR).is_file()


def write_environment(run: Path, recipe: Recipe, device: torch.device, precision: str) -> None:
    """Write the command, versions and source files of user-defined classes of this start."""
    facts = {
        "zerosum": __version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "precision": precision,
        "threads": torch.get_num_threads(),
        "processes": ranks(),
        **{f"class {name}": source for name, source in sources(recipe).items()},
    }
    replace_durably(run / VERSIONS, json.dumps(facts, indent=1).encode())
    replace_durably(run / COMMAND, (_command() + "\n").encode())


def _command() -> str:
    """The command line of this process, quoted for a shell."""
    program = Path(sys.argv[0])
    module = program.name == "__main__.py"
    start = ["-m", program.parent.name] if module else [program.name]
    if "TORCHELASTIC_RUN_ID" in os.environ:
        machines, processes = (os.environ.get(name, "1") for name in ("GROUP_WORLD_SIZE", "LOCAL_WORLD_SIZE"))
        start = ["torchrun", "--nnodes", machines, "--nproc-per-node", processes, *start]
    elif program.suffix == ".py":
        start = ["python", *start]
    return shlex.join([*start, *sys.argv[1:]])


def _refuse_links(run: Path) -> None:
    """Raise `ValueError` where a link is in place of a file or folder that a run writes."""
    written = [path for path in run.iterdir() if path.name in NAMES or path.suffix == ".safetensors"]
    for path in sorted(written):
        if path.is_symlink():
            raise ValueError(f"{path} is a link, and links in a run folder are not followed: remove it")


def _check_same_recipe(run: Path, text: str, recipe: Recipe, longer: bool) -> None:
    if text.strip() == pretty(recipe):
        return
    before = read_recipe(text, own_types(recipe), opaque=True)
    if differ_in_paths_alone(before.data, recipe.data):
        before = replace(before, data=recipe.data)  # moved, or another data set: its fingerprint decides
    # Equal recipes of unequal text were written by a version with fewer fields; newer fields have their defaults.
    if before == recipe:
        return
    found = differences(before, recipe)
    if replace(before, images=recipe.images) != recipe:
        raise ValueError(f"{run} has a run of another recipe: {found}. {_OTHER_FOLDER.capitalize()}")
    if not longer:
        raise ValueError(f"{run} has a run of another length ({found}; zerosum train {run} --images N extends it)")
    if follows := follows_length(recipe):
        raise ValueError(
            f"{run} has a run of {before.images:,} images, and its {follows} follows the share of the run that is "
            f"done, so it cannot become one of {recipe.images:,}: {_OTHER_FOLDER}, and --from {run} to start there "
            f"from its weights"
        )
