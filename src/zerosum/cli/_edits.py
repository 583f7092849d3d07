"""Edited samples, and their files."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zerosum._disk import replacing
from zerosum._outputs import sheet_exif
from zerosum.cli._samples import write_samples
from zerosum.cli._target import check_target
from zerosum.latent.direction import DirectionSum, load_direction
from zerosum.plots.grids import grid
from zerosum.runs.generator import TrainedGenerator
from zerosum.runs.run import Run


@dataclass(frozen=True, eq=False)
class EditedSamples:
    """Samples, uint8 `(n, H, W, C)`, before and after an edit, and their conditions in the units of the data."""

    before: NDArray[np.uint8]
    after: NDArray[np.uint8]
    values: NDArray[Any] | None


def edited(
    run: Run,
    generator: TrainedGenerator,
    changes: list[str],
    drawn: tuple[int, int],
    classes: list[str] | None,
    conditions: list[str] | None,
) -> EditedSamples:
    """Samples of a number and a seed along directions of a run, as NAME=STRENGTH; raises `ValueError` for others."""
    change = sum((parsed(run, text) for text in changes), DirectionSum())
    n, seed = drawn
    if classes and conditions:
        raise ValueError("edit takes --class or --condition, and not both")
    texts = classes or conditions
    if texts and generator.condition is None:
        raise ValueError(f"this {generator.recipe.name} generator has no conditions: it was trained without any")
    wanted = generator.condition.parse(texts, n) if texts and generator.condition is not None else None
    before = generator.sample(n, seed, conditions=wanted)
    after = generator.edit(n, change, seed, conditions=wanted)
    return EditedSamples(before, after, generator.conditions(n, wanted))


def parsed(run: Run, text: str) -> DirectionSum:
    """A direction of a run times a strength, of NAME=STRENGTH; raises `ValueError` for anything else."""
    name, equals, strength = text.rpartition("=")
    try:
        number = float(strength)
    except ValueError:
        number = math.nan
    if not equals or not math.isfinite(number):
        raise ValueError(f"--direction takes NAME=STRENGTH, such as thickness=2; found {text!r}")
    return load_direction(run, name) * number


def write_edits(target: Path, generator: TrainedGenerator, samples: EditedSamples) -> None:
    """Write edited samples: a grid with the unedited ones above, arrays of both, or a folder of the edited ones."""
    n = len(samples.after)
    check_target(target, generator, n)
    if target.suffix.lower() == ".png":
        columns = min(n, 10)
        rows = [
            half[start : start + columns] for start in range(0, n, columns) for half in (samples.before, samples.after)
        ]
        blank = np.full((columns, *samples.after.shape[1:]), 255, np.uint8)
        filled = [np.concatenate([row, blank[len(row) :]]) for row in rows]
        target.parent.mkdir(parents=True, exist_ok=True)
        with replacing(target) as file:
            grid(np.concatenate(filled), columns=columns).save(file, format="PNG", exif=sheet_exif())
    else:
        write_samples(target, generator, n, [samples.after], samples.values)
