"""Edited samples, and their files."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zerosum.cli._inversions import completed, inverted, shown, write_rows
from zerosum.cli._samples import write_samples
from zerosum.cli._wanted import Wanted
from zerosum.latent.direction import DirectionSum, load_direction
from zerosum.latent.inversion import Inversion
from zerosum.latent.inversion_file import load_inversion
from zerosum.latent.invert import InvertOptions
from zerosum.latent.tune import tune
from zerosum.runs.generator import TrainedGenerator
from zerosum.runs.images import to_bytes
from zerosum.runs.run import Run


@dataclass(frozen=True, eq=False)
class EditedSamples:
    """Samples, uint8 `(n, H, W, C)`: rows before and after an edit, and their conditions in the units of the data."""

    rows: tuple[NDArray[np.uint8], ...]
    values: NDArray[Any] | None

    @property
    def after(self) -> NDArray[np.uint8]:
        """The edited samples."""
        return self.rows[-1]


def edited(
    run: Run, generator: TrainedGenerator, changes: list[str], drawn: tuple[int, int], wanted: Wanted
) -> EditedSamples:
    """Samples of a number and a seed along directions of a run, as NAME=STRENGTH; raises `ValueError` for others."""
    change, (n, seed) = summed(run, changes), drawn
    values = wanted.parsed(generator, n)
    before = generator.sample(n, seed, conditions=values)
    after = generator.edit(n, change, seed, conditions=values)
    return EditedSamples((before, after), generator.conditions(n, values))


def edited_images(
    run: Run,
    generator: TrainedGenerator,
    changes: list[str],
    files: list[Path],
    seed: int,
    wanted: Wanted,
    tuning: bool,
) -> tuple[EditedSamples, list[str]]:
    """Image files along directions of a run, and a sentence on each; raises `ValueError` for unreadable files.

    A single file `.safetensors` is an inversion of `zerosum invert`, which has conditions already.
    """
    change = summed(run, changes)
    if len(files) == 1 and files[0].suffix.lower() == ".safetensors":
        if wanted.texts:
            raise ValueError(f"{files[0]} has its classes or conditions: give others to zerosum invert")
        found, lines = load_inversion(files[0], generator), []
    else:
        found, reach = inverted(generator, files, wanted, space_of_edit(change), InvertOptions(seed=seed))
        lines = reach.lines([*map(str, files)])
    if tuning:
        found = tune(found, say=lines.append)
    return _samples(found, change), lines


def completions(
    run: Run, generator: TrainedGenerator, changes: list[str], drawing: Path, drawn: tuple[int, int], wanted: Wanted
) -> tuple[EditedSamples, list[str]]:
    """Proposals, of a number and a seed, for a drawing, along directions of a run if any; and a note without D."""
    change = summed(run, changes)
    found, lines = completed(run, generator, drawing, drawn, wanted, space_of_edit(change))
    return _samples(found, change if changes else None), lines


def _samples(found: Inversion, change: DirectionSum | None) -> EditedSamples:
    rows = [shown(found), to_bytes(found.images)]
    if change is not None:
        rows.append(to_bytes(found.edited(change)))
    c, condition = found.inputs.c, found.space.model.condition
    return EditedSamples(tuple(rows), c.numpy() if c is not None and condition and condition.classes else None)


def summed(run: Run, changes: list[str]) -> DirectionSum:
    """The sum of directions of a run, as NAME=STRENGTH; raises `ValueError` for others."""
    return sum((parsed(run, text) for text in changes), DirectionSum())


def space_of_edit(change: DirectionSum) -> str:
    """The space of the directions, in which images are inverted; empty without directions, or of several spaces."""
    found = {one.space for one, _ in change.parts}
    return found.pop() if len(found) == 1 else ""


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


def check_images(target: Path) -> None:
    """Raise `ValueError` for a file of texts."""
    if target.suffix.lower() == ".txt":
        raise ValueError(f"edits are images: name FILE.png, FILE.npz or a folder; found {target}")


def write_edits(target: Path, generator: TrainedGenerator, samples: EditedSamples) -> None:
    """Write edited samples: a grid with the unedited ones above, or arrays or a folder of the edited ones."""
    if target.suffix.lower() == ".png":
        write_rows(target, [*samples.rows])
    else:
        write_samples(target, generator, len(samples.after), [samples.after], samples.values)
