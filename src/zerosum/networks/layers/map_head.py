"""Scores of every place of a map."""

__all__ = ()

from torch import Tensor, nn

from zerosum.conditions.condition import Condition
from zerosum.game.precision import at_least_float32
from zerosum.networks.conditioning import needed


class MapHead(nn.Module):
    """Score every place of a map: a convolution, plus the projection <e(c), features> where there is a condition.

    Args:
        linear: the convolution, to one channel at the same sides.
        features: channels of the map.
        condition: what c is, for the projection; None for the convolution alone.
    """

    def __init__(self, linear: nn.Module, features: int, condition: Condition | None) -> None:
        super().__init__()
        self.linear = linear
        self.embedding = None if condition is None else condition.embed(features, features**-0.5)

    def forward(self, h: Tensor, c: Tensor | None) -> Tensor:
        """`(B, features, H, W)` to `(B, 1, H, W)`, computed as in `Head`."""
        score: Tensor = at_least_float32(self.linear(h))
        if self.embedding is not None:
            score = score + (at_least_float32(self.embedding(needed(c)))[:, :, None, None] * h).sum(1, keepdim=True)
        return score
