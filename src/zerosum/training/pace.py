"""The pace of training, and the length of a run that takes a given time."""

__all__ = ()

import math
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import torch

from zerosum._disk import read_text
from zerosum._text import duration
from zerosum.data.dataset import Dataset
from zerosum.game.distributed import rank
from zerosum.game.random import derived_seed
from zerosum.recipes.reader import read_recipe
from zerosum.recipes.recipe import Recipe
from zerosum.recipes.using import own_types
from zerosum.runs.checkpoint import newest_checkpoint
from zerosum.runs.files import GENERATOR, MOST_TEXT, RECIPE
from zerosum.terms.schedules import Every
from zerosum.training.batches import Batches
from zerosum.training.build import build_game
from zerosum.training.device import seed_layers
from zerosum.training.folder import numbered, refused, storable
from zerosum.training.ranks import RankGroup

MINUTES = "minutes"  # the name, among a checkpoint's numbers, of the time that the run's length was measured for
SECONDS = 3.0  # of measured iterations, or one iteration if that takes longer
_FIRST = 2  # iterations before them, which allocate and compile
_PATIENCE = 4  # times these seconds, until a lazy term has had its turn
_LONGEST_CYCLE = 64  # iterations
_ALL = 1 - 1e-9  # of a run: pretraining is a share below 1
_LENGTHS = ("images", "tick", "snapshot")
_TICKS, _SNAPSHOTS = 100, 8  # of a run, at least
_REST, _LEAST_REST, _MOST_OF_SHORT = 0.05, 15.0, 0.25  # of the time, for sample images, checkpoints, scores and report


@dataclass(frozen=True)
class Pace:
    """How fast a recipe trains.

    Attributes:
        images_per_second: real samples per second, over all processes and the whole run.
        iterations: iterations that were measured.
        seconds: what measuring took in all, with building the game.
    """

    images_per_second: float
    iterations: int
    seconds: float


def measured_pace(
    recipe: Recipe,
    dataset: Dataset,
    group: RankGroup,
    precision: str,
    progress: Callable[[int, int], None] | None = None,
) -> Pace:
    """Train a game of the recipe for a few seconds, and forget it; with pretraining, one of that stage as well.

    `progress` is called with the iterations done and a guess of their number. Raises `ValueError` where the recipe
    cannot be trained.
    """
    pace = _measured(replace(recipe, pretrain=0.0), dataset, group, precision, progress)
    if not recipe.pretrain:
        return pace
    first = _measured(replace(recipe, pretrain=_ALL), dataset, group, precision, progress)
    seconds = recipe.pretrain / first.images_per_second + (1 - recipe.pretrain) / pace.images_per_second  # an image
    return Pace(1 / seconds, pace.iterations + first.iterations, pace.seconds + first.seconds)


def _measured(
    recipe: Recipe,
    dataset: Dataset,
    group: RankGroup,
    precision: str,
    progress: Callable[[int, int], None] | None,
) -> Pace:
    """The pace of the stage of training in which the recipe begins."""
    began, place, cycle = time.perf_counter(), group.device, _cycle(recipe)
    game = build_game(recipe, dataset, place, precision)
    batches = Batches(dataset, recipe.batch, recipe.conditional, recipe.seed, place, 0, recipe.label_dropout)
    done, images, started, over = 0, 0, began, 0
    with closing(batches):
        while not over:
            seed_layers(derived_seed(recipe.seed, "layers", batches.position, rank()), place)
            game.step(batches)
            done += 1
            if done == _FIRST:
                _synchronise(place)
                images, started = game.images, time.perf_counter()
            if progress is not None:
                progress(done, max(done, _FIRST + 1))
            spent, whole = time.perf_counter() - started, (done - _FIRST) % cycle == 0
            enough = done > _FIRST and spent >= SECONDS and (whole or spent >= _PATIENCE * SECONDS)
            over = group.maximum(int(enough))
        _synchronise(place)
    game.check_finite()
    now = time.perf_counter()
    return Pace((game.images - images) / (now - started), done - _FIRST, now - began)


def of_length(recipe: Recipe, pace: Pace, minutes: float) -> Recipe:
    """The recipe at the length that takes so many minutes in all, with log lines and checkpoints as often as usual.

    A part of the time is left for measuring and for sample images, checkpoints, scores and the report. Schedules follow
    the share of the run that is done. Raises `ValueError` where there is no time for an iteration.
    """
    seconds = 60 * minutes
    rest = max(_REST * seconds, min(_LEAST_REST, _MOST_OF_SHORT * seconds))
    batches = math.floor((seconds - rest - pace.seconds) * pace.images_per_second / recipe.batch)
    if batches < 1:
        raise ValueError(
            f"{minutes:g} minutes are too short for {recipe.name}, of which {pace.iterations} iterations and building "
            f"the game took {duration(pace.seconds)}: give more"
        )
    images = batches * recipe.batch
    tick, snapshot = (max(recipe.batch, images // parts) for parts in (_TICKS, _SNAPSHOTS))
    return replace(recipe, images=images, tick=min(recipe.tick, tick), snapshot=min(recipe.snapshot, snapshot))


def timed(
    recipe: Recipe, dataset: Dataset, group: RankGroup, precision: str, minutes: float, run: Path, search: bool
) -> tuple[Recipe, str]:
    """The recipe at the length that takes so many minutes, and a message.

    The length is measured once: that of a run in the folder that was measured for as many minutes stays as it is, so
    that the same command resumes it. With `search`, RUN-2, RUN-3, ... are looked at as well.

    Raises `ValueError` where the folder, without `search`, has another run, or where there is no time.
    """
    found = _begun(recipe, dataset, minutes, run, search) if rank() == 0 else None
    lengths = group.broadcast_facts({} if found is None else _lengths(found))
    if lengths:
        made = replace(recipe, **lengths)
        return made, f"this run has {made.images:,} images, as measured for {minutes:g} minutes when it began"
    pace = measured_pace(recipe, dataset, group, precision)
    made = of_length(recipe, pace, minutes)
    made = replace(recipe, **group.broadcast_facts(_lengths(made)))
    return made, (
        f"{minutes:g} minutes are {made.images:,} images, at {pace.images_per_second:,.0f} images/s over "
        f"{pace.iterations} iterations; the length is fixed from now on, also where this run is resumed"
    )


def _lengths(recipe: Recipe) -> dict[str, Any]:
    return {name: getattr(recipe, name) for name in _LENGTHS}


def _begun(recipe: Recipe, dataset: Dataset, minutes: float, run: Path, search: bool) -> Recipe | None:
    """The recipe at the length of its run that was measured for as many minutes before; None where there is none."""
    for folder in numbered(run):
        text = folder / RECIPE
        if not text.is_file():
            if search and refused(folder, recipe, dataset):
                continue  # other files
            return None
        made = replace(recipe, **_lengths(read_recipe(read_text(text, MOST_TEXT), own_types(recipe), opaque=True)))
        found = newest_checkpoint(folder)
        ended = (folder / GENERATOR).is_file()  # without a checkpoint, nobody knows what its length was measured for
        measured = not ended if found is None else found[1].numbers.get(MINUTES) == minutes
        if not search and not measured:
            raise ValueError(
                f"{folder} has a run already, and minutes measure the length of a new one: name another folder with "
                f"--out, or extend that run with --images"
            )
        if measured and not (search and refused(folder, storable(made, dataset), dataset)):
            return made
    return None


def _cycle(recipe: Recipe) -> int:
    """Iterations after which lazy terms have all had their turn equally often."""
    return min(math.lcm(*(every.n for every in _lazy((recipe.d_terms, recipe.g_terms)))), _LONGEST_CYCLE)


def _lazy(part: object) -> Iterator[Every]:
    if isinstance(part, Every):
        yield part
    if is_dataclass(part):
        part = tuple(getattr(part, f.name) for f in fields(part))
    for one in part if isinstance(part, tuple) else ():
        yield from _lazy(one)


def _synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
