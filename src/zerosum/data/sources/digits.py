"""The bundled default data: handwritten digits, without a download."""

from dataclasses import dataclass
from importlib import resources

import numpy as np
import torch
from PIL import Image

from zerosum.data.dataset import Dataset, in_memory

_SIZE, _COLUMNS, _PER_CLASS = 28, 100, 500


@dataclass(frozen=True)
class Digits:
    """Handwritten digits: 5,000 of MNIST, 28x28 grey, 500 of each class 0 to 9.

    By LeCun, Cortes and Burges, under CC BY-SA 3.0: see `assets/NOTICE.md`. All are from MNIST's training set. They are
    bundled as one image, five rows of 100 per digit, made by `scripts/make_digits.py`.
    """

    def open(self) -> Dataset:
        """Open the digits, in memory, sorted by class."""
        asset = resources.files("zerosum.data").joinpath("assets", "digits.png")
        with asset.open("rb") as file, Image.open(file, formats=["PNG"]) as image:
            mosaic = torch.from_numpy(np.array(image))
        rows = mosaic.reshape(-1, _SIZE, _COLUMNS, _SIZE).transpose(1, 2)
        labels = torch.arange(10).repeat_interleave(_PER_CLASS)
        return in_memory("digits", rows.reshape(-1, 1, _SIZE, _SIZE), labels, tuple("0123456789"))
