"""Samples beside the images that they were generated from."""

__all__ = ()

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate

from zerosum.conditions.image import Image
from zerosum.runs.generator import TrainedGenerator

COLUMNS = 10
_LATENTS = 3  # rows of samples


def condition_grid(generator: TrainedGenerator, seed: int) -> NDArray[np.uint8] | None:
    """Rows of ten conditions, samples of them from three latents, and the real samples where these are known.

    Where the latent changes nothing, one row of samples is enough. Conditions have the size of samples. Returns uint8
    images `(rows * 10, H, W, C)`; None for other conditions than images, and without examples.
    """
    kind = generator.condition
    if not isinstance(kind, Image) or kind.examples is None or not generator.is_image:
        return None
    values = kind.values(COLUMNS)
    z = generator.latents(_LATENTS, seed)
    made = [generator.render(one.expand(COLUMNS, -1), values) for one in z]
    made = made if any(not np.array_equal(one, made[0]) for one in made) else made[:1]
    channels, *size = torch.from_numpy(made[0]).permute(0, 3, 1, 2).shape[1:]
    seen = resized(kind.displayed(values), tuple(size))
    if seen.shape[1] == 1 and channels == 3:
        seen = seen.expand(-1, 3, -1, -1)
    rows = [_last(seen, channels), *made]
    if kind.truths is not None:
        rows.append(_last(kind.truths[torch.arange(COLUMNS) % len(kind.truths)], channels))
    return np.concatenate(rows)


def resized(images: Tensor, size: tuple[int, ...]) -> Tensor:
    """Images uint8 `(B, C, H, W)` at another size, without interpolation between pixels."""
    return images if tuple(images.shape[2:]) == size else interpolate(images.float(), size, mode="nearest").byte()


def _last(images: Tensor, channels: int) -> NDArray[np.uint8]:
    """Images `(B, H, W, C)`, the first so many of their channels."""
    found: NDArray[np.uint8] = images[:, :channels].permute(0, 2, 3, 1).contiguous().numpy()
    return found
