"""A picture of what a trained generator makes, small enough to be kept beside the text."""

import io
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from zerosum.data.dataset import Dataset, Multimodal
from zerosum.game.codes import InfoGANLatent
from zerosum.metrics.modes import mode_radius
from zerosum.plots.grids import grid
from zerosum.plots.points import histogram, scatter
from zerosum.runs.generator import TrainedGenerator
from zerosum.runs.images import to_bytes

SEED = 0
ROWS, COLUMNS = 8, 12
CLASSES = 20  # rows of a conditional picture, at most
POINTS = 2_500
SIDE = 32  # pictures up to this side are shown twice as large
MOST = 50_000  # bytes of a file, so that all of them together stay light


def picture(generator: TrainedGenerator) -> Image.Image:
    """Return samples of a fixed seed as one picture.

    Pictures stand in a grid: a row a class where there are classes, a row a value of the categorical code where there
    is one. Points are drawn as the report draws them: over real ones, in the plane or as a histogram.
    """
    if not generator.is_image:
        return of_points(generator, generator.recipe.data.open())
    rows = rows_of(generator)
    return grid(rows, columns=COLUMNS, scale=2 if max(rows.shape[1:3]) <= SIDE else 1)


def rows_of(generator: TrainedGenerator) -> np.ndarray:
    """Return the samples of a grid of `COLUMNS`, row by row: by class, by code, or as they come."""
    latent = generator.recipe.latent
    if generator.classes:
        labels = np.repeat(np.arange(min(len(generator.classes), CLASSES)), COLUMNS)
        return generator.sample(len(labels), SEED, labels)
    if isinstance(latent, InfoGANLatent) and latent.categories:
        values = latent.categories[0]
        z = generator.latents(COLUMNS, SEED).repeat(values, 1)
        begin = latent.noise.size
        z[:, begin : begin + values] = torch.eye(values).repeat_interleave(COLUMNS, 0)
        return to_bytes(generator.map(z))
    return generator.sample(ROWS * COLUMNS, SEED)


def of_points(generator: TrainedGenerator, dataset: Dataset) -> Image.Image:
    """Return points over as many real ones: a scatter with the modes' radius drawn in, or a histogram."""
    made = generator.sample(POINTS, SEED)
    real = dataset.read(torch.arange(min(POINTS, len(dataset)))).numpy()
    if made.shape[1] == 1:
        return histogram(made, real)
    source = generator.recipe.data
    if not isinstance(source, Multimodal):
        return scatter(made, real)
    return scatter(made, real, source.centres().numpy(), mode_radius(made.shape[1]) * source.std)


def save_small(image: Image.Image, path: Path, most: int = MOST) -> None:
    """Write a picture as PNG of at most so many bytes, with fewer colours or smaller where it takes that."""
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
