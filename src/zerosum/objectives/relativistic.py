"""Relativistic objectives, on differences of real and fake scores (Jolicoeur-Martineau 2018)."""

import math
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.nn.functional import logsigmoid

from zerosum.protocols import Reference

_SCORE = "a number of which only differences between samples have a meaning"


def _needed(real: Tensor | None) -> Tensor:
    if real is None:
        raise ValueError("a relativistic g_loss compares with real scores: give g_loss(fake, real)")
    return real


@dataclass(frozen=True)
class Relativistic:
    """Relativistic pairing GAN (RpGAN): Jolicoeur-Martineau 2018 (arXiv 1807.00734), section 4.1; the loss of R3GAN.

    D minimises -E[log sigmoid(D(x) - D(G(z)))] over pairs of one real and one generated sample, G the same with the
    roles exchanged. Each generated sample is compared with a real one, so no single decision boundary separates all of
    them; the loss has no bad local minima with dropped modes (Sun et al. 2020, arXiv 2011.04926). With R1 and R2 it
    converges locally (Huang et al. 2024, arXiv 2501.05441).
    """

    reads_real: ClassVar[bool] = True
    reference: ClassVar[Reference] = Reference(_SCORE, equilibrium=math.log(2), perfect=0.0)

    def d_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """-E[log sigmoid(D(x) - D(G(z)))], a scalar from two score tensors of one shape `(B, ...)`."""
        return -logsigmoid(real - fake).mean()

    def g_loss(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """-E[log sigmoid(D(G(z)) - D(x))], a scalar from two score tensors of one shape `(B, ...)`."""
        return -logsigmoid(fake - _needed(real)).mean()


@dataclass(frozen=True)
class RelativisticAverage:
    """Relativistic average GAN (RaGAN): Jolicoeur-Martineau 2018 (arXiv 1807.00734), equations 12 and 13.

    D separates each real score from the *mean* fake score, and each fake score from the mean real one. The means are
    taken over the batch.
    """

    reads_real: ClassVar[bool] = True
    whole_batch: ClassVar[str] = "compares each sample with the mean of the batch"
    reference: ClassVar[Reference] = Reference(_SCORE, equilibrium=2 * math.log(2), perfect=0.0)

    def d_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """-E[log s(D(x) - E D(G(z)))] - E[log(1 - s(D(G(z)) - E D(x)))], a scalar from scores `(B, ...)`."""
        return -logsigmoid(real - fake.mean()).mean() - logsigmoid(real.mean() - fake).mean()

    def g_loss(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """-E[log s(D(G(z)) - E D(x))] - E[log(1 - s(D(x) - E D(G(z))))], a scalar from scores `(B, ...)`."""
        return self.d_loss(fake, _needed(real))
