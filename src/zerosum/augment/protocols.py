"""What a transformation is: the part of which augmentations are made."""

from typing import Protocol

from torch import Tensor

from zerosum.game.draws import Draws


class Transformation(Protocol):
    """A random change of each sample of a batch by itself, which gradients pass through, twice if need be."""

    def __call__(self, x: Tensor, draws: Draws, purpose: str) -> Tensor:
        """Samples of the shape of x, `(B, C, H, W)` or `(B, d)`; what is random is drawn under `purpose`."""
        ...
