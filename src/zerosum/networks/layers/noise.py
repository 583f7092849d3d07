"""Noise that a generator adds to its maps."""

import torch
from torch import Tensor, nn

from zerosum.networks.layers.pyramid import Sides


class NoiseInjection(nn.Module):
    """Add normal noise, equal in all channels, times a learned strength that begins at 0: StyleGAN (arXiv 1812.04948).

    In training each sample has noise of its own, from torch's global generator, which the training loop ties to the
    position in the run. In evaluation all samples share one noise map, drawn when the network was built and saved
    with it, so that a sample depends on its latent alone.

    Args:
        sides: sides of the maps.
    """

    def __init__(self, sides: Sides) -> None:
        super().__init__()
        self.strength = nn.Parameter(torch.zeros(()))
        self.register_buffer("constant", torch.randn(sides))
        self.constant: Tensor

    def forward(self, x: Tensor) -> Tensor:
        """x plus noise, `(B, C, H, W)`."""
        noise = torch.randn_like(x[:, :1], dtype=self.constant.dtype) if self.training else self.constant
        return x + (self.strength * noise).to(x.dtype)
