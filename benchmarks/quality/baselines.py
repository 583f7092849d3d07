"""The trivial methods beside applications: of conditions and samples, and of those of training."""

from collections.abc import Callable

import numpy as np
import torch
from PIL import Image

Pixels = np.ndarray  # uint8 (N, H, W, C)
Baseline = Callable[[Pixels, Pixels, Pixels, Pixels], Pixels]


def enlarged(kind: Image.Resampling) -> Baseline:
    """The condition at the size of the sample, by one of Pillow's filters."""

    def baseline(c: Pixels, x: Pixels, *_: Pixels) -> Pixels:
        size = x.shape[2], x.shape[1]
        images = [Image.fromarray(one.squeeze()).resize(size, kind) for one in c]
        return np.stack([np.asarray(one).reshape(x.shape[1:]) for one in images])

    return baseline


def condition(c: Pixels, x: Pixels, *_: Pixels) -> Pixels:
    """The condition itself: its newest frame, or without its mask."""
    channels = x.shape[3]
    return np.repeat(c, channels, 3) if c.shape[3] == 1 else np.ascontiguousarray(c[..., -channels:])


def neighbour(c: Pixels, _: Pixels, train_c: Pixels, train_x: Pixels) -> Pixels:
    """The real sample of the training condition that is nearest in pixels."""
    rows, train = (torch.from_numpy(one.reshape(len(one), -1)).float() for one in (c, train_c))
    return train_x[torch.cat([torch.cdist(part, train).argmin(1) for part in rows.split(128)]).numpy()]


RESIZES = {name.lower(): enlarged(Image.Resampling[name]) for name in ("NEAREST", "BICUBIC", "LANCZOS")}
NEAREST = {"nearest training pair": neighbour}
