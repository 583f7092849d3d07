"""Projections of a player's weights after each of its updates."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class WeightClip:
    """Weight clipping: clamp trainable parameters to [-limit, limit], as WGAN, Arjovsky et al. 2017 (arXiv 1701.07875).

    Args:
        limit: largest magnitude of a weight (> 0); the paper uses 0.01.
    """

    limit: float = 0.01

    def __post_init__(self) -> None:
        if not self.limit > 0:
            raise ValueError(f"limit is a magnitude above 0; found {self.limit}")

    @torch.no_grad()
    def __call__(self, network: nn.Module) -> None:
        """Clip the network's trainable parameters in place."""
        trained: list[Tensor] = [parameter for parameter in network.parameters() if parameter.requires_grad]
        torch._foreach_clamp_min_(trained, -self.limit)
        torch._foreach_clamp_max_(trained, self.limit)
