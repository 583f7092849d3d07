"""Layers that a condition changes."""

__all__ = ["ConditionalBatchNorm"]

from torch import Tensor, nn

from zerosum.conditions.condition import Condition
from zerosum.networks.conditioning import Join, needed


class ConditionalBatchNorm(nn.Module):
    """Batch norm over maps, with a scale and an offset for each channel that the condition sets; at first 1 and 0.

    Args:
        channels: channels of the maps.
        condition: what c is.
    """

    def __init__(self, channels: int, condition: Condition) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.scale, self.offset = condition.embed(channels, 0.0, mean=1.0), condition.embed(channels, 0.0)

    def forward(self, h: Tensor, c: Tensor | None = None) -> Tensor:
        """Maps `(B, channels, H, W)`."""
        c = needed(c)
        maps: Tensor = self.norm(h)
        scale, offset = (part(c).to(maps.dtype)[:, :, None, None] for part in (self.scale, self.offset))
        result: Tensor = maps * scale + offset
        return result


def normed(norm: nn.Module, h: Tensor, c: Tensor | None) -> Tensor:
    """The norm's output, under the condition where it is one that takes it."""
    result: Tensor = norm(h, c) if isinstance(norm, ConditionalBatchNorm) else norm(h)
    return result


class Chain(nn.Sequential):
    """Layers one after another, of which norms and joins may take the condition."""

    def forward(self, h: Tensor, c: Tensor | None = None) -> Tensor:
        """The last layer's output."""
        for part in self:
            h = part(h, c) if isinstance(part, ConditionalBatchNorm | Join | Chain) else part(h)
        return h
