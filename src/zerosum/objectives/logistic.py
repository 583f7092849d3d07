"""Logistic objectives: the discriminator's score is the logit of the probability that a sample is real.

Everything is computed with `logsigmoid`, so losses and gradients are accurate at any score:
log D = logsigmoid(s) and log(1 - D) = logsigmoid(-s) where D = sigmoid(s).
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from zerosum.protocols import Reference, Watched


def _discriminator_loss(real: Tensor, fake: Tensor, real_label: float) -> Tensor:
    on_real = real_label * logsigmoid(real) + (1 - real_label) * logsigmoid(-real)
    return -on_real.mean() - logsigmoid(-fake).mean()


def _log_probabilities(player: str, turn: Watched, log: dict[str, Tensor]) -> None:
    """Log the mean D(x) and D(G(z)), and the value V(D, G) = E[log D(x)] + E[log(1 - D(G(z)))]."""
    if player != "D":
        return
    real, fake = turn.real.score.detach(), turn.fake.score.detach()
    value = logsigmoid(real).mean() + logsigmoid(-fake).mean()
    means = turn.average(torch.stack([real.sigmoid().mean(), fake.sigmoid().mean(), value]))
    log["D(x)"], log["D(G(z))"], log["V"] = means.unbind()


def _reference(real_label: float) -> Reference:
    """At the equilibrium D(x) = real_label / 2 everywhere; a perfect D gives real_label to real samples, else 0."""
    half = real_label / 2
    rest = (1 - real_label) * math.log(1 - real_label) if real_label < 1 else 0.0
    return Reference(
        score="the logit of the probability that a sample is real",
        equilibrium=-real_label * math.log(half) - (2 - real_label) * math.log(1 - half),
        perfect=0.0 - real_label * math.log(real_label) - rest,
    )


def _check_label(real_label: float) -> None:
    if not 0.5 < real_label <= 1:
        raise ValueError(f"real_label is the target for real samples, in (0.5, 1]; found {real_label}")


@dataclass(frozen=True)
class Minimax:
    """The zero-sum game of Goodfellow et al. 2014 (arXiv 1406.2661), equation 1.

    min_G max_D V(D, G) = E[log D(x)] + E[log(1 - D(G(z)))], D = sigmoid(score). D minimises -V and G
    minimises its own part of V, which *saturates*: once D rejects a sample with confidence, the gradient of
    log(1 - D(G(z))) with respect to its score, -D(G(z)), vanishes.

    Args:
        real_label: target for real samples; below 1 it is one-sided label smoothing (Salimans et al. 2016,
            arXiv 1606.03498, section 3.4). Range (0.5, 1].
    """

    real_label: float = 1.0
    reads_real: ClassVar[bool] = False
    boundary: ClassVar[float] = 0.0

    def __post_init__(self) -> None:
        _check_label(self.real_label)

    @property
    def reference(self) -> Reference:
        """D's loss is 2 log 2 = 1.386 at the equilibrium, and 0 for a perfect D (for a `real_label` of 1)."""
        return _reference(self.real_label)

    def d_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """-E[log D(x)] - E[log(1 - D(G(z)))], a scalar from scores `(B, ...)`."""
        return _discriminator_loss(real, fake, self.real_label)

    def g_loss(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """E[log(1 - D(G(z)))], a scalar from scores `(B, ...)`."""
        return logsigmoid(-fake).mean()

    def probability(self, score: Tensor) -> Tensor:
        """sigmoid(score) / real_label, of any shape: p / (p + q) for the optimal D (section 4.1, proposition 1)."""
        return score.sigmoid() / self.real_label

    def watch(self, player: str, turn: Watched, log: dict[str, Tensor]) -> None:
        """Log D(x), D(G(z)) and V at each update of the discriminator."""
        _log_probabilities(player, turn, log)


@dataclass(frozen=True)
class NonSaturating:
    """The non-saturating GAN of Goodfellow et al. 2014 (arXiv 1406.2661), section 3.

    The loss of D is that of `Minimax`; G maximises E[log D(G(z))] instead of minimising E[log(1 - D(G(z)))]. Both
    have the same fixed point, but here the gradient by the score is largest where D rejects a sample: it tends to -1.

    Args:
        real_label: target for real samples; below 1 it is one-sided label smoothing (Salimans et al. 2016,
            arXiv 1606.03498, section 3.4). Range (0.5, 1].
    """

    real_label: float = 1.0
    reads_real: ClassVar[bool] = False
    boundary: ClassVar[float] = 0.0

    def __post_init__(self) -> None:
        _check_label(self.real_label)

    @property
    def reference(self) -> Reference:
        """D's loss is 2 log 2 = 1.386 at the equilibrium, and 0 for a perfect D (for a `real_label` of 1)."""
        return _reference(self.real_label)

    def d_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """-E[log D(x)] - E[log(1 - D(G(z)))], a scalar from scores `(B, ...)`."""
        return _discriminator_loss(real, fake, self.real_label)

    def g_loss(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """-E[log D(G(z))], a scalar from scores `(B, ...)`."""
        return -logsigmoid(fake).mean()

    def probability(self, score: Tensor) -> Tensor:
        """sigmoid(score) / real_label, of any shape: p / (p + q) for the optimal D (section 4.1, proposition 1)."""
        return score.sigmoid() / self.real_label

    def watch(self, player: str, turn: Watched, log: dict[str, Tensor]) -> None:
        """Log D(x), D(G(z)) and V at each update of the discriminator."""
        _log_probabilities(player, turn, log)
