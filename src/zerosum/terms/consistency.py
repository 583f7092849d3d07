"""Consistency regularisation: small changes of a sample, or of its latent, should not change D's score."""

from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum.game.turn import Transformation, Turn
from zerosum.terms._common import check_player, check_weight, generated


def _distance(one: Tensor, other: Tensor) -> Tensor:
    return (one - other).square().mean()


@dataclass(frozen=True)
class Consistency:
    """real E (D(x) - D(T(x)))^2 + fake E (D(G(z)) - D(T(G(z))))^2, with T a random change: Zhang et al. 2020.

    With real samples alone it is CR (arXiv 1910.12027), with both bCR (Zhao et al. 2021, arXiv 2002.04724, algorithm
    1), for which the paper uses 10 and 10. T is not applied in G's updates. Squares are means over score maps.

    Args:
        augment: T.
        real: weight on real samples (>= 0).
        fake: weight on generated samples (>= 0).
    """

    augment: Transformation
    real: float = 10.0
    fake: float = 0.0

    def __post_init__(self) -> None:
        check_weight("real", self.real)
        check_weight("fake", self.fake)

    def __call__(self, turn: Turn) -> Tensor:
        """The penalty on this turn, a scalar >= 0; a part of weight 0 is not computed."""
        check_player(turn, "D", self)
        total = turn.zero()
        if self.real:
            changed = self.augment(turn.x.detach(), turn.draws, "consistency, real")
            total = total + self.real * _distance(turn.real.score, turn.judge(changed, "real").score)
        if self.fake:
            changed = self.augment(turn.x_fake.detach(), turn.draws, "consistency, fake")
            total = total + self.fake * _distance(turn.fake.score, turn.judge(changed, "fake").score)
        return total


@dataclass(frozen=True)
class LatentConsistency:
    """D: d_weight E (D(G(z)) - D(G(z + dz)))^2. G: -g_weight E |G(z) - G(z + dz)|^2. zCR: Zhao et al. 2021.

    Algorithm 2 of arXiv 2002.04724, dz ~ N(0, sigma^2 I): D becomes insensitive to small changes of the latent, G more
    sensitive. It belongs among both players' terms; squares are means over the elements of scores and samples.

    Args:
        sigma: standard deviation of dz (> 0).
        d_weight: weight for D (>= 0).
        g_weight: weight for G (>= 0).
    """

    sigma: float = 0.03
    d_weight: float = 5.0
    g_weight: float = 0.5

    def __post_init__(self) -> None:
        check_weight("d_weight", self.d_weight)
        check_weight("g_weight", self.g_weight)
        if not self.sigma > 0:
            raise ValueError(f"sigma is the standard deviation of a latent's change, above 0; found {self.sigma}")

    def __call__(self, turn: Turn) -> Tensor:
        """The term of the player that is updated, a scalar: >= 0 for D, <= 0 for G."""
        z = turn.z + self.sigma * turn.draws.normal("latent consistency", tuple(turn.z.shape)).to(turn.z)
        if turn.player == "D":
            with torch.no_grad():
                changed = generated(turn, z)
            return self.d_weight * _distance(turn.fake.score, turn.judge(changed, "fake").score)
        return -self.g_weight * _distance(turn.x_fake, generated(turn, z))
