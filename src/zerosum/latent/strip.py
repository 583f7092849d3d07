"""A strip of images along a direction."""

__all__ = ()

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from zerosum._disk import replacing
from zerosum._outputs import sheet_exif
from zerosum.latent.direction import Direction, direction_file
from zerosum.latent.model import Inputs, LatentModel
from zerosum.latent.space import space_of
from zerosum.plots.grids import grid
from zerosum.runs.images import to_bytes

STRENGTHS = (-3, -2, -1, 0, 1, 2, 3)
_ROWS = 5


@torch.no_grad()
def strip(direction: Direction, model: LatentModel, inputs: Inputs) -> Image.Image:
    """Samples at strengths from -3 to 3, a row each; the middle column is not edited."""
    space, few = space_of(model, direction.space), inputs.rows(slice(_ROWS))
    points = space.at(few)
    columns = [to_bytes(space.images(points + strength * direction.vector, few)) for strength in STRENGTHS]
    return grid(np.stack(columns, 1).reshape(-1, *columns[0].shape[1:]), columns=len(STRENGTHS))


def save_strip(run: Path, direction: Direction, model: LatentModel, inputs: Inputs) -> Path:
    """Save the strip of a direction beside its file; returns the path."""
    path = direction_file(run, direction.name).with_suffix(".png")
    with replacing(path) as file:
        strip(direction, model, inputs).save(file, format="PNG", exif=sheet_exif())
    return path
