"""Gates: channels that let others pass."""

from torch import Tensor, nn
from torch.nn.functional import sigmoid


class GatedUnit(nn.Module):
    """Half of the channels times the sigmoid of the other half (GLU): Dauphin et al. 2017 (arXiv 1612.08083)."""

    def forward(self, x: Tensor) -> Tensor:
        """`(B, C / 2, H, W)` of `(B, C, H, W)`."""
        value, gate = x.chunk(2, dim=1)
        return value * sigmoid(gate)


class SkipExcitation(nn.Module):
    """Scale the channels of a large map by what a small one holds: Liu et al. 2021 (arXiv 2101.04775), section 3.1.

    y = large * F(small), where F pools to 4x4, convolves to one place and ends in a sigmoid. So gradients reach early
    layers by a short way, at the price of a channel gate and not of a whole map.

    Args:
        small: channels of the small map.
        large: channels of the large map.
    """

    def __init__(self, small: int, large: int) -> None:
        super().__init__()
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(4),
            nn.Conv2d(small, large, 4, bias=False),
            nn.SiLU(),
            nn.Conv2d(large, large, 1, bias=False),
            nn.Sigmoid(),
        )
        for layer in self.gate:
            if isinstance(layer, nn.Conv2d):
                nn.init.normal_(layer.weight, std=0.02)

    def forward(self, small: Tensor, large: Tensor) -> Tensor:
        """`(B, large, H, W)`, scaled."""
        gated: Tensor = large * self.gate(small)
        return gated
