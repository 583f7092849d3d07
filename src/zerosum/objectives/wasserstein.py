"""Critic objectives: Wasserstein and hinge losses on unbounded scores."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.nn.functional import relu

from zerosum.protocols import Reference


@dataclass(frozen=True)
class Wasserstein:
    """WGAN: Arjovsky, Chintala and Bottou 2017 (arXiv 1701.07875), equations 2 and 3.

    The critic maximises E[D(x)] - E[D(G(z))]; the supremum over 1-Lipschitz critics is the Wasserstein-1 (earth
    mover's) distance. The Lipschitz constraint is not part of the objective: use `WeightClip` (as the paper) or
    `GradientPenalty` (Gulrajani et al. 2017, arXiv 1704.00028).
    """

    reads_real: ClassVar[bool] = False
    reference: ClassVar[Reference] = Reference("the value of a critic, which is no probability", equilibrium=0.0)

    def d_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """E[D(G(z))] - E[D(x)], a scalar from scores `(B, ...)`: minus the estimated distance."""
        return fake.mean() - real.mean()

    def g_loss(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """-E[D(G(z))], a scalar from scores `(B, ...)`."""
        return -fake.mean()


@dataclass(frozen=True)
class Hinge:
    """Hinge loss: Lim and Ye 2017 (arXiv 1705.02894), and SNGAN, Miyato et al. 2018, equations 16 and 17.

    D minimises E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(z)))]: samples beyond the margin have no gradient in D's loss.
    """

    reads_real: ClassVar[bool] = False
    boundary: ClassVar[float] = 0.0
    reference: ClassVar[Reference] = Reference("a value above 0 for real samples, with a margin of 1", 2.0, 0.0)

    def d_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(z)))], a scalar from scores `(B, ...)`."""
        return relu(1 - real).mean() + relu(1 + fake).mean()

    def g_loss(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """-E[D(G(z))], a scalar from scores `(B, ...)`."""
        return -fake.mean()
