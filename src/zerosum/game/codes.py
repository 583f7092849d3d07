"""The latent of InfoGAN: noise, and a code that can be predicted from the samples."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from zerosum.game.latents import Normal
from zerosum.protocols import Latent


@dataclass(frozen=True)
class InfoGANLatent:
    """Noise, then categorical variables as one-hot vectors, then continuous ones in [-1, 1): InfoGAN's latent.

    Chen et al. 2016 (arXiv 1606.03657), section 7: all are independent and uniform. With `MutualInformation` D
    predicts the code from the samples.

    Args:
        noise: the prior of the noise.
        categories: number of values of each categorical variable (>= 2); the paper takes (10,) for MNIST.
        continuous: number of continuous variables (>= 0).
    """

    noise: Latent = Normal(62)
    categories: tuple[int, ...] = (10,)
    continuous: int = 2

    def __post_init__(self) -> None:
        if min(self.categories, default=2) < 2 or self.continuous < 0:
            raise ValueError(
                "InfoGANLatent takes categorical variables of at least 2 values and a number of continuous ones; "
                f"found categories={self.categories}, continuous={self.continuous}"
            )

    @property
    def size(self) -> int:
        """Number of dimensions of z: noise, one-hot vectors and continuous variables."""
        return self.noise.size + sum(self.categories) + self.continuous

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """z of noise and code, float32 `(count, size)`."""
        parts = [self.noise.draw(count, generator)]
        for values in self.categories:
            parts.append(one_hot(torch.randint(values, (count,), generator=generator), values).float())
        parts.append(torch.rand(count, self.continuous, generator=generator) * 2 - 1)
        return torch.cat(parts, dim=1)
