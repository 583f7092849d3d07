"""Coloured digits: ink and ground in two hues, of which the ink's follows the class."""

__all__ = ["ColouredDigits"]

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum._checks import require
from zerosum.data.dataset import Dataset, in_memory
from zerosum.data.sources.digits import Digits

_CLASSES = 10
_INK, _GROUND = (160.0, 50.0), (70.0, 35.0)  # luma and chroma; every hue of them is within 0..255
_APART = 0.25  # least distance of both hues, in turns
# The colour of a chroma (Cb, Cr) of ITU-R BT.601, whose luma is 0.
_RGB = torch.tensor([[0.0, 1.402], [-0.344136, -0.714136], [1.772, 0.0]])


@dataclass(frozen=True)
class ColouredDigits:
    """The bundled digits in colour, 28x28 RGB: the ink's hue follows the class, the ground's is random.

    Class k has ink of the hue k/10 turns plus noise, on a ground of any hue at least a quarter turn away. All ink has
    one luma and all ground another, so the grey image is that of the digit and shows no hue: of its colours, the ink's
    is determined by the digit, and the ground's is not.

    Args:
        noise: standard deviation of the ink's hue around that of its class, in turns.
        seed: random seed.
    """

    noise: float = 0.02
    seed: int = 0

    def __post_init__(self) -> None:
        require(self, 0 <= self.noise < math.inf, "a finite noise >= 0")

    def open(self) -> Dataset:
        """Colour the digits, uint8 (3, 28, 28)."""
        digits = Digits().open()
        labels = digits.labels
        assert labels is not None
        random = torch.Generator().manual_seed(self.seed)
        ink = labels / _CLASSES + self.noise * torch.randn(len(labels), generator=random)
        ground = ink + _APART + (1 - 2 * _APART) * torch.rand(len(labels), generator=random)
        coverage = digits.read(torch.arange(len(labels))) / 255
        x = torch.lerp(_colour(*_GROUND, ground), _colour(*_INK, ink), coverage)
        return in_memory("coloured digits", x.round().to(torch.uint8), labels, digits.classes, made_by=self)


def _colour(luma: float, chroma: float, hue: Tensor) -> Tensor:
    """Colours (B, 3, 1, 1) of a luma, a chroma and hues (B,) in turns."""
    angle = 2 * math.pi * hue
    direction = torch.stack([angle.cos(), angle.sin()], 1)
    return (luma + chroma * direction @ _RGB.T)[:, :, None, None]
