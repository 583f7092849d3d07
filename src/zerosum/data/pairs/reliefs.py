"""Images as reliefs, lit from the upper left."""

__all__ = ["Reliefs"]

from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import pad

from zerosum.data.dataset import Dataset, Source
from zerosum.data.pairs._derived import redrawn, rounded
from zerosum.data.pairs.grayscale import grey
from zerosum.data.sources.digits import Digits


@dataclass(frozen=True)
class Reliefs:
    """Images as reliefs, without a condition: for translation without pairs.

    Brightness is height, and light comes from the upper left: a pixel is grey plus half the difference of its
    neighbours on the lower right and on the upper left.

    Args:
        source: a source of images.
    """

    source: Source = Digits()

    def open(self) -> Dataset:
        """Open the images; raises `ValueError` for points."""
        return redrawn(self.source, relief, "reliefs")


def relief(x: Tensor) -> Tensor:
    """Reliefs `(B, 1, H, W)` of images uint8 `(B, C, H, W)`, of which the border is continued."""
    height = pad(grey(x).float(), (1, 1, 1, 1), mode="replicate")
    return rounded(127.5 + (height[:, :, 2:, 2:] - height[:, :, :-2, :-2]) / 2)
