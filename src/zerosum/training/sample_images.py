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
from zerosum.runs.generator import TrainedGenerator

POINTS = 2_500  # in a scatter plot
COLUMNS, ROWS = 10, 8


def save_samples(path: Path, generator: TrainedGenerator, dataset: Dataset, seed: int) -> None:
    """Write an image grid (with a column per class for up to ten), or a scatter plot or histogram of points."""
    plain_folder(path.parent, make=True)
    if generator.is_image:
        plot = grid(generator.sample(COLUMNS * ROWS, seed), columns=COLUMNS)
    else:
        points = generator.sample(POINTS, seed)
        reference = dataset.displayed.read(torch.arange(min(POINTS, len(dataset)))).numpy()
        plot = histogram(points, reference) if points.shape[1] == 1 else scatter(points, reference)
    content = io.BytesIO()
    plot.save(content, format="PNG", exif=sheet_exif())
    replace_durably(path, content.getvalue())
