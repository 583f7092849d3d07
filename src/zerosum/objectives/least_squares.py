"""Objectives by squared and absolute error, in which the discriminator regresses on labels."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from zerosum.protocols import Reference


@dataclass(frozen=True)
class LeastSquares:
    """LSGAN: Mao et al. 2017 (arXiv 1611.04076), equation 2.

    D minimises 1/2 E[(D(x) - b)^2] + 1/2 E[(D(G(z)) - a)^2]; G minimises 1/2 E[(D(G(z)) - c)^2]. Samples that are
    classified as real but lie far from the decision boundary still have a gradient. With b - c = 1 and b - a = 2 the
    game minimises the Pearson chi-square divergence.

    Args:
        a: label of generated samples.
        b: label of real samples; must differ from `a`, and real must score higher.
        c: target of the generator for its samples.
    """

    a: float = 0.0
    b: float = 1.0
    c: float = 1.0
    reads_real: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not self.b > self.a:
            raise ValueError(f"the label of real samples, b={self.b}, must lie above that of fakes, a={self.a}")

    @property
    def boundary(self) -> float:
        """The score between real and generated samples, half way between their labels."""
        return (self.a + self.b) / 2

    def probability(self, score: Tensor) -> Tensor:
        """(score - a) / (b - a), of any shape: p / (p + q) for the optimal D, (b p + a q) / (p + q) (equation 5)."""
        return (score - self.a) / (self.b - self.a)

    @property
    def reference(self) -> Reference:
        """D's loss is (b - a)^2 / 4 at the equilibrium, and 0 for a perfect D."""
        score = f"a number that D regresses to {self.b:g} for real and {self.a:g} for generated samples"
        return Reference(score, equilibrium=(self.b - self.a) ** 2 / 4, perfect=0.0)

    def d_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """1/2 E[(D(x) - b)^2] + 1/2 E[(D(G(z)) - a)^2], a scalar from scores `(B, ...)`."""
        return 0.5 * (real - self.b).square().mean() + 0.5 * (fake - self.a).square().mean()

    def g_loss(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """1/2 E[(D(G(z)) - c)^2], a scalar from scores `(B, ...)`."""
        return 0.5 * (fake - self.c).square().mean()


@dataclass(frozen=True)
class AbsoluteError:
    """The absolute-error game: D minimises E[1 - D(x)] + E[D(G(z))], G minimises E[1 - D(G(z))].

    D = sigmoid(score) is a probability, so the errors |1 - D(x)| and |0 - D(G(z))| need no bars. At the optimal D
    the value is 1 minus the total variation distance of the two distributions (see f-GAN, Nowozin et al. 2016, arXiv
    1606.00709, table 1). The optimal D is a step function: the gradient D(1 - D) vanishes for real and for generated
    samples, which makes this the hardest of the classic games to train. It is included for comparison.
    """

    reads_real: ClassVar[bool] = False
    boundary: ClassVar[float] = 0.0
    reference: ClassVar[Reference] = Reference("the logit of the probability that a sample is real", 1.0, 0.0)

    def d_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """E[1 - D(x)] + E[D(G(z))], a scalar in [0, 2] from scores `(B, ...)`."""
        # 1 - sigmoid(s) = sigmoid(-s), which stays accurate where D(x) is nearly 1.
        return (-real).sigmoid().mean() + fake.sigmoid().mean()

    def g_loss(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """E[1 - D(G(z))], a scalar in [0, 1] from scores `(B, ...)`."""
        return (-fake).sigmoid().mean()
