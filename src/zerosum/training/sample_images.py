"""Sample images of fixed latents, to follow the progress of training."""

__all__ = ()

import io
from pathlib import Path

import torch

from zerosum._disk import plain_folder, replace_durably
from zerosum._outputs import sheet_exif
from zerosum.data.dataset import Dataset
from zerosum.plots.grids import grid
from zerosum.plots.points import histogram, scatter
from zerosum.runs.condition_grid import COLUMNS, condition_grid
from zerosum.runs.generator import TrainedGenerator
from zerosum.runs.images import ROWS, columns_of
from zerosum.runs.live import differs

POINTS = 2_500  # in a scatter plot
_FIRST = 8  # batches before the first image


def is_due(before: int, now: int, batch: int, first: int = _FIRST, per_doubling: int = 1) -> bool:
    """Whether sample images are due between two counts of images: at powers of two, from eight batches on.

    Other files are due `per_doubling` times while the images double, from `first` batches on. So the first comes early,
    however long the run is, and the same ones come in a longer run.
    """
    return now >= first * batch and (before**per_doubling).bit_length() != (now**per_doubling).bit_length()


def save_samples(
    path: Path, generator: TrainedGenerator, dataset: Dataset, seed: int, live: TrainedGenerator | None = None
) -> None:
    """Write an image grid with a column per class where these fit, or a scatter plot or histogram of points.

    Under conditions that are images, each column has a condition, samples of it and the real sample.

    Points of the live generator are drawn too, in green, where they differ from those of its average.
    """
    plain_folder(path.parent, make=True)
    rows = condition_grid(generator, seed)
    if rows is not None:
        plot = grid(rows, columns=COLUMNS)
    elif generator.is_image:
        columns = columns_of(len(generator.classes))
        plot = grid(generator.sample(columns * ROWS, seed), columns=columns)
    else:
        points = generator.sample(POINTS, seed)
        reference = dataset.displayed.read(torch.arange(min(POINTS, len(dataset)))).numpy()
        moving = live.sample(POINTS, seed) if live is not None and differs(generator, live) else None
        draw = histogram if points.shape[1] == 1 else scatter
        plot = draw(points, reference, live=moving)
    content = io.BytesIO()
    plot.save(content, format="PNG", exif=sheet_exif())
    replace_durably(path, content.getvalue())
