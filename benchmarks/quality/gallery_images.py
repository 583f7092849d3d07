"""An image of samples of a trained generator, small enough for the repository."""

import io
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from zerosum.conditions.text import Text
from zerosum.data.dataset import Dataset, Multimodal
from zerosum.game.codes import InfoGANLatent
from zerosum.metrics.modes import mode_radius
from zerosum.plots.grids import grid
from zerosum.plots.points import histogram, scatter
from zerosum.runs.condition_grid import COLUMNS as CONDITIONS
from zerosum.runs.condition_grid import condition_grid
from zerosum.runs.generator import TrainedGenerator
from zerosum.runs.images import to_bytes

SEED = 0
ROWS, COLUMNS = 8, 12
CAPTIONS = 4  # rows of an image of captions
CLASSES = 20  # rows of a conditional image, at most
POINTS = 2_500
SIDE = 32  # images up to this side are enlarged twice
MOST = 50_000  # bytes of a file, so that all of them together stay light


def sample_image(generator: TrainedGenerator) -> Image.Image:
    """Return samples of a fixed seed as one image.

    Images are in a grid: a row per class, caption or value of the categorical code, if there are any; under images,
    rows of conditions, samples and real images. Points are plotted as in the report: over real ones, in the plane or
    as a histogram.
    """
    if not generator.is_image:
        return of_points(generator, generator.recipe.data.open())
    shown = condition_grid(generator, SEED)
    rows, columns = (rows_of(generator), COLUMNS) if shown is None else (shown, CONDITIONS)
    return grid(rows, columns=columns, scale=2 if max(rows.shape[1:3]) <= SIDE else 1)


def rows_of(generator: TrainedGenerator) -> np.ndarray:
    """Return the samples of a grid of `COLUMNS`, row by row: by class, caption, code, or in their order."""
    latent = generator.recipe.latent
    if generator.classes:
        labels = np.repeat(np.arange(min(len(generator.classes), CLASSES)), COLUMNS)
        return generator.sample(len(labels), SEED, labels)
    if isinstance(generator.condition, Text):
        captions = generator.condition.values(CAPTIONS).repeat_interleave(COLUMNS, 0)
        return generator.sample(len(captions), SEED, conditions=captions)
    if isinstance(latent, InfoGANLatent) and latent.categories:
        values = latent.categories[0]
        z = generator.latents(COLUMNS, SEED).repeat(values, 1)
        begin = latent.noise.size
        z[:, begin : begin + values] = torch.eye(values).repeat_interleave(COLUMNS, 0)
        return to_bytes(generator.map(z))
    return generator.sample(ROWS * COLUMNS, SEED)


def of_points(generator: TrainedGenerator, dataset: Dataset) -> Image.Image:
    """Return a scatter plot, with the radius of modes, or a histogram of samples over as many real points."""
    made = generator.sample(POINTS, SEED)
    real = dataset.read(torch.arange(min(POINTS, len(dataset)))).numpy()
    if made.shape[1] == 1:
        return histogram(made, real)
    source = generator.recipe.data
    if not isinstance(source, Multimodal):
        return scatter(made, real)
    return scatter(made, real, source.centres().numpy(), mode_radius(made.shape[1]) * source.std)


def save_small(image: Image.Image, path: Path, most: int = MOST) -> None:
    """Write an image as PNG of at most `most` bytes, with fewer colours or smaller if necessary."""
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        for colours in (0, 256, 64, 16):
            data = png(image if not colours else image.quantize(colours, dither=Image.Dither.NONE))
            if len(data) <= most:
                path.write_bytes(data)
                return
        image = image.resize((max(image.width * 3 // 4, 1), max(image.height * 3 // 4, 1)), Image.Resampling.LANCZOS)


def png(image: Image.Image) -> bytes:
    """Return the bytes of a PNG file."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
