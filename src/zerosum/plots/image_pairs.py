"""Pairs of images, one above the other."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from zerosum.plots.grids import grid


def pairs(upper: NDArray[np.uint8], lower: NDArray[np.uint8], names: tuple[str, str]) -> Image.Image:
    """Lay each image of one set above its partner of the other, the two rows named on the left.

    Both are uint8 (N, H, W, C) of the same height and width; grey images may be paired with coloured ones. Raises
    `ValueError` unless the shapes match.
    """
    if upper.shape[:3] != lower.shape[:3]:
        raise ValueError(f"paired images have the same (N, H, W); found {upper.shape[:3]} above {lower.shape[:3]}")
    channels = max(upper.shape[3], lower.shape[3])
    rows = [images.repeat(channels, 3) if images.shape[3] == 1 else images for images in (upper, lower)]
    return grid(np.concatenate(rows), columns=len(upper), row_labels=names)
