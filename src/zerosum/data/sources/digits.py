"""The embedded default: handwritten digits, there without a download."""

from dataclasses import dataclass
from importlib import resources

import numpy as np
import torch
from PIL import Image

from zerosum.data.dataset import Dataset, in_memory

_SIDE, _COLUMNS, _A_CLASS = 28, 100, 500


@dataclass(frozen=True)
class Digits:
    """Handwritten digits: 5,000 of MNIST, 28x28 grey, 500 of each class 0 to 9.

    By LeCun, Cortes and Burges, under CC BY-SA 3.0: see `assets/NOTICE.md`. All are of MNIST's training set.
    They are embedded as one picture, five rows of 100 a digit, which `scripts/make_digits.py` made.
    """

    def open(self) -> Dataset:
        """Open the digits, in memory, sorted by class."""
        asset = resources.files("zerosum.data").joinpath("assets", "digits.png")
        with asset.open("rb") as file, Image.open(file, formats=["PNG"]) as picture:
            mosaic = torch.from_numpy(np.array(picture))
        rows = mosaic.reshape(-1, _SIDE, _COLUMNS, _SIDE).transpose(1, 2)
        labels = torch.arange(10).repeat_interleave(_A_CLASS)
        return in_memory("digits", rows.reshape(-1, 1, _SIDE, _SIDE), labels, tuple("0123456789"))
