"""Energy games: the discriminator is an autoencoder and its score is minus the reconstruction error."""

from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import relu

from zerosum.protocols import Reference, Watched


@dataclass(frozen=True)
class EnergyBased:
    """EBGAN: Zhao, Mathieu and LeCun 2017 (arXiv 1609.03126), equations 1 and 2.

    With the energy E(x) = -score: D minimises E(x) + max(0, margin - E(G(z))), G minimises E(G(z)).

    Args:
        margin: energy up to which D pushes generated samples, in units of the reconstruction error (> 0).
    """

    margin: float = 1.0
    reads_real: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not self.margin > 0:
            raise ValueError(f"margin is an energy above 0; found {self.margin}")

    @property
    def reference(self) -> Reference:
        """D's loss is the margin at the equilibrium (theorem 2 of the paper), and 0 for a perfect D."""
        return Reference("minus the error of a reconstruction", equilibrium=self.margin, perfect=0.0)

    def d_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """E[E(x)] + E[max(0, margin - E(G(z)))], a scalar from scores `(B, ...)`."""
        return -real.mean() + relu(self.margin + fake).mean()

    def g_loss(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """E[E(G(z))], a scalar from scores `(B, ...)`."""
        return -fake.mean()


@dataclass(frozen=True)
class BoundaryEquilibrium:
    """BEGAN: Berthelot, Schumm and Metz 2017 (arXiv 1703.10717), sections 3.3 and 3.4.

    With the reconstruction error L(x) = -score: D minimises L(x) - k L(G(z)), G minimises L(G(z)), and after each
    update of D the balance k is adjusted to bring L(G(z)) / L(x) to `gamma`:
    k <- clip(k + rate (gamma L(x) - L(G(z))), 0, 1). The paper's measure of convergence is
    M = L(x) + |gamma L(x) - L(G(z))|; both are logged, as `k` and `convergence`.

    Args:
        gamma: target ratio of the errors, in (0, 1]: low for fidelity, high for diversity.
        rate: step size of k per update (lambda in the paper).
    """

    gamma: float = 0.5
    rate: float = 0.001
    balance: Tensor = field(default_factory=lambda: torch.zeros(()), init=False, repr=False, compare=False)
    reads_real: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not 0 < self.gamma <= 1:
            raise ValueError(f"gamma is the target ratio L(G(z)) / L(x), in (0, 1]; found {self.gamma}")
        if not self.rate > 0:
            raise ValueError(f"rate is the step of k, above 0; found {self.rate}")

    @property
    def reference(self) -> Reference:
        """No loss marks the equilibrium, where errors of generated samples are gamma times those of real ones."""
        return Reference("minus the error of a reconstruction", ranked=False)

    def d_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """E[L(x)] - k E[L(G(z))], a scalar from scores `(B, ...)`."""
        return self.balance.to(fake.device) * fake.mean() - real.mean()

    def g_loss(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """E[L(G(z))], a scalar from scores `(B, ...)`."""
        return -fake.mean()

    def watch(self, player: str, turn: Watched, log: dict[str, Tensor]) -> None:
        """After an update of D: adjust k by the errors of all ranks, and log it with the convergence measure."""
        if player != "D":
            return
        error_real = -turn.average(turn.real.score.detach().mean())
        error_fake = -turn.average(turn.fake.score.detach().mean())
        drift = self.gamma * error_real - error_fake
        self.balance.add_(self.rate * drift.to(self.balance.device)).clamp_(0, 1)
        log["k"] = self.balance.to(drift.device, copy=True)
        log["convergence"] = error_real + drift.abs()

    def state_dict(self) -> dict[str, Tensor]:
        """The balance k, a scalar in [0, 1]."""
        return {"k": self.balance.clone()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Load k from `state_dict()`."""
        self.balance.copy_(state["k"])
