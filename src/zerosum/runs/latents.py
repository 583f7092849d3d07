"""The latents of a generator's samples, and what changes them."""

__all__ = ()

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zerosum.game.latents import Normal, Uniform
from zerosum.game.random import stream
from zerosum.protocols import Latent

_BLOCK = 512  # latents are drawn in such blocks, so sample i depends on the seed and i alone


def latents_of(latent: Latent, n: int, seed: int) -> Iterator[Tensor]:
    """The latents of `TrainedGenerator.sample(n, seed)`, block by block of 512."""
    for block, start in enumerate(range(0, n, _BLOCK)):
        yield latent.draw(_BLOCK, stream(seed, "sample", block))[: n - start]


def latent_quantiles(latent: Latent, u: Tensor) -> Tensor | None:
    """The quantiles u `(n,)`, float32 `(n, 1)`, of a one-dimensional normal or uniform latent; None for others."""
    if isinstance(latent, Normal) and latent.size == 1:
        normal: Tensor = torch.special.ndtri(u)[:, None].float()
        return normal
    if isinstance(latent, Uniform) and latent.size == 1:
        return (latent.low + (latent.high - latent.low) * u)[:, None].float()
    return None


class Edit(Protocol):
    """A change of samples, such as a sum of directions."""

    def images(self, generator: Any, z: Tensor, values: Tensor | None) -> NDArray[np.uint8]:
        """Changed samples, uint8 `(n, H, W, C)`, of a trained generator, latents and conditions in the data's units."""
        ...
