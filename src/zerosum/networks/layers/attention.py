"""Self-attention over the places of a map: Zhang et al. 2019 (SAGAN, arXiv 1805.08318), equations 1 to 3."""

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d

from zerosum.game.precision import at_least_float32


class SelfAttention(nn.Module):
    """x + gamma o(x), where o at each place is a mean over all places by likeness: softmax(f(x)^T g(x)) h(x).

    f, g, h and the way back are 1x1 convolutions without offsets, f and g to an eighth of the channels and h to half.
    As in the authors' code, g and h are max-pooled by two, which leaves a quarter of the places to look at. gamma
    begins at 0, so that a network first learns what is near.

    Args:
        channels: channels of the map.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        key, value = max(channels // 8, 1), max(channels // 2, 1)
        self.f, self.g = nn.Conv2d(channels, key, 1, bias=False), nn.Conv2d(channels, key, 1, bias=False)
        self.h, self.back = nn.Conv2d(channels, value, 1, bias=False), nn.Conv2d(value, channels, 1, bias=False)
        for layer in (self.f, self.g, self.h, self.back):
            nn.init.xavier_uniform_(layer.weight)
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """Maps `(B, channels, H, W)`."""
        asked = self.f(x).flatten(2).transpose(1, 2)
        keys, values = (max_pool2d(part(x), 2, ceil_mode=True).flatten(2) for part in (self.g, self.h))
        weights = at_least_float32(asked @ keys).softmax(2).to(values.dtype)
        seen = (values @ weights.transpose(1, 2)).unflatten(2, x.shape[2:])  # type: ignore[no-untyped-call]
        result: Tensor = x + self.gamma.to(x.dtype) * self.back(seen)
        return result
