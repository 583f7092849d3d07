"""Stacked digits: three digits as the channels of an RGB image, with 1,000 modes."""

from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor

from zerosum._checks import require, require_room
from zerosum._paths import PATH, tidy_paths
from zerosum.data.conditions import labelled
from zerosum.data.content import content_of
from zerosum.data.dataset import Dataset
from zerosum.data.fingerprints import fingerprint
from zerosum.data.sources.arrays import Arrays
from zerosum.data.sources.digits import Digits

_TEN = 10


@dataclass(frozen=True)
class StackedDigits:
    """Three random digits as the channels of an RGB image, labelled by their three-digit number, 0 to 999.

    Stacked MNIST: Metz et al. 2017 (arXiv 1611.02163), with 1,000 modes. Images are composed when they are read; memory
    holds only the digits and three indices per image.

    Args:
        path: an archive of grey images of ten classes, such as an `mnist.npz` with x_train and y_train; by default the
            bundled digits.
        count: number of images.
        seed: random seed.
    """

    path: str | None = field(default=None, metadata=PATH)
    count: int = 128_000
    seed: int = 0

    def __post_init__(self) -> None:
        require(self, self.count >= 1, "count >= 1")
        require_room(self, self.count, 32)
        tidy_paths(self)

    def digits(self) -> Dataset:
        """Open the single digits; raises `ValueError` when the archive has other data."""
        digits = Digits().open() if self.path is None else Arrays(self.path).open()
        if digits.labels is None or len(digits.classes) != _TEN or not digits.is_image or digits.shape[0] != 1:
            raise ValueError(
                f"digits to stack should be grey images of {_TEN} classes, but {digits.name} has samples of shape "
                f"{digits.shape} and {len(digits.classes)} classes"
            )
        return digits

    def shares(self) -> Tensor:
        """The probability of each number 0 to 999, float64 `(1000,)`, from the class frequencies of the digits."""
        labels = self.digits().labels
        assert labels is not None
        share = torch.bincount(labels, minlength=_TEN).double() / len(labels)
        return torch.einsum("i,j,k->ijk", share, share, share).flatten()

    def open(self) -> Dataset:
        """Draw the digits of each image."""
        digits = self.digits()
        assert digits.labels is not None
        chosen = torch.randint(len(digits), (self.count, 3), generator=torch.Generator().manual_seed(self.seed))
        labels = (digits.labels[chosen] * torch.tensor([100, 10, 1])).sum(1)
        names = tuple(f"{number:03}" for number in range(_TEN**3))
        shape = (3, *digits.shape[1:])
        read = partial(_stacked, digits, chosen)
        content = partial(_content, digits, chosen)
        name = f"stacked {digits.name}"
        return Dataset(name, shape, self.count, read, labelled(name, labels, names), content=content)


def _stacked(digits: Dataset, chosen: Tensor, index: Tensor) -> Tensor:
    """Images `(B, 3, H, W)` of rows of three digits."""
    return digits.read(chosen[index].flatten()).view(len(index), 3, *digits.shape[1:])


def _content(digits: Dataset, chosen: Tensor) -> str:
    return fingerprint(digits) + content_of(chosen)
