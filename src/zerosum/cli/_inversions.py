"""Image files as points of a generator's space, and their sheets."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from zerosum._disk import replacing
from zerosum._outputs import sheet_exif
from zerosum.cli._wanted import Wanted
from zerosum.data.image_files import files_in, read_drawing, read_fitted
from zerosum.latent.instruments import instruments_of
from zerosum.latent.inversion import Inversion
from zerosum.latent.invert import InvertOptions, complete
from zerosum.latent.reach import Reach, invert_measured
from zerosum.latent.space import space_of
from zerosum.plots.grids import grid
from zerosum.runs.generator import TrainedGenerator
from zerosum.runs.images import to_bytes
from zerosum.runs.run import Run

Pixels = NDArray[np.uint8]
_COLUMNS = 10


def image_files(paths: list[Path]) -> list[Path]:
    """Files, and the image files in folders and their subfolders; raises `ValueError` for a folder without any."""
    return [file for path in paths for file in (files_in(path) if path.is_dir() else [path])]


def read_files(files: list[Path], generator: TrainedGenerator) -> Pixels:
    """Image files in the shape of a generator's samples, uint8 `(N, H, W, C)`; raises `ValueError` for others."""
    shape, found = sample_shape(generator), []
    for file in files:
        try:
            found.append(read_fitted(file, shape))
        except ValueError as error:
            raise ValueError(f"{file} {error}") from None
    return np.stack(found)


def sample_shape(generator: TrainedGenerator) -> tuple[int, ...]:
    """The shape of a sample as it is seen, `(C, H, W)`; raises `ValueError` for generators of anything but images."""
    if not generator.is_image:
        raise ValueError("only generators of images can be steered; this one makes points or texts")
    height, width, channels = generator.sample(1).shape[1:]
    return channels, height, width


def inverted(
    generator: TrainedGenerator,
    files: list[Path],
    wanted: Wanted,
    space: str = "",
    options: InvertOptions | None = None,
    references: int = 40,
) -> tuple[Inversion, Reach]:
    """The inversion of image files, and how far they are outside the range; raises `ValueError` for unreadable ones."""
    images, given = read_files(files, generator), wanted.of(generator, files)
    return invert_measured(space_of(generator, space), images, generator.recipe.data, given, options, references)


def completed(
    run: Run, generator: TrainedGenerator, file: Path, drawn: tuple[int, int], wanted: Wanted, space: str
) -> tuple[Inversion, list[str]]:
    """Proposals, of a number and a seed, for a drawing, and a sentence where D cannot be read.

    Raises `ValueError` for a drawing that cannot be read.
    """
    try:
        colours, weights = read_drawing(file, sample_shape(generator))
    except ValueError as error:
        raise ValueError(f"{file} {error}") from None
    score = instruments_of(run, run.known).score
    masks = torch.from_numpy(weights)[None, None]
    options, given = InvertOptions(seed=drawn[1]), wanted.of(generator, [file])
    found = complete(space_of(generator, space), colours[None], masks, drawn[0], given, options, score)
    note = "the run's discriminator cannot be read: proposals follow the drawn pixels alone"
    return found, [] if score is not None else [note]


def shown(inversion: Inversion) -> Pixels:
    """The images that were inverted, uint8 `(n, H, W, C)`; pixels that are not drawn are dark grey."""
    return to_bytes(torch.where(inversion.weights > 0, inversion.targets, -0.5))


def classes_of(inversion: Inversion, generator: TrainedGenerator) -> list[str]:
    """The class of each image; empty without classes."""
    c, names = inversion.inputs.c, (*generator.classes, "none")
    return [] if c is None or not generator.classes else [names[label] for label in c.tolist()]


def write_rows(target: Path, rows: list[Pixels]) -> None:
    """Write rows of equally many images as a sheet, at most ten images wide."""
    n = len(rows[0])
    columns = min(n, _COLUMNS)
    blank = np.full((columns, *rows[0].shape[1:]), 255, np.uint8)
    parts = [row[start : start + columns] for start in range(0, n, columns) for row in rows]
    filled = [np.concatenate([part, blank[len(part) :]]) for part in parts]
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(target) as file:
        grid(np.concatenate(filled), columns=columns).save(file, format="PNG", exif=sheet_exif())
