"""Penalties on the slope of the discriminator with respect to its input.

Slopes are taken per sample: the gradient of a sample's score (of the sum of its score map) by that sample alone, so
no value depends on the batch size. They reuse the forward pass of the loss, and sums are formed in float32.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import relu

from zerosum.game.judgement import Judgement
from zerosum.game.turn import Turn


def squared_slope(turn: Turn, judgement: Judgement, x: Tensor) -> Tensor:
    """The squared gradient `(B,)` of each sample's score by that sample of x `(B, ...)`, differentiable again.

    Raises `ValueError` on a move of G, whose loss D's slope is not part of.
    """
    if turn.player != "D":
        raise ValueError("gradient penalties differentiate by D's input: put them among d_terms, not g_terms")
    (gradient,) = torch.autograd.grad(judgement.score.sum(), x, create_graph=True, materialize_grads=True)
    return gradient.float().square().flatten(1).sum(1)


def _check_weight(name: str, value: float) -> None:
    if not value >= 0:
        raise ValueError(f"{name} weighs a penalty and is at least 0; found {value}")


@dataclass(frozen=True)
class R1:
    """gamma/2 E |grad_x D(x)|^2 on real samples: Mescheder, Geiger and Nowozin 2018 (arXiv 1801.04406), equation 9.

    Args:
        gamma: weight (>= 0). Grows with resolution: 1 suits small pictures and 2-D toys, 10 faces at 256.
    """

    gamma: float = 1.0

    def __post_init__(self) -> None:
        _check_weight("gamma", self.gamma)

    def __call__(self, turn: Turn) -> Tensor:
        """The penalty on this turn, a scalar >= 0."""
        return self.gamma / 2 * squared_slope(turn, turn.real, turn.x).mean()


@dataclass(frozen=True)
class R2:
    """gamma/2 E |grad_x D(x)|^2 on generated samples: Mescheder et al. 2018 (arXiv 1801.04406), equation 10.

    Args:
        gamma: weight (>= 0), as in `R1`.
    """

    gamma: float = 1.0

    def __post_init__(self) -> None:
        _check_weight("gamma", self.gamma)

    def __call__(self, turn: Turn) -> Tensor:
        """The penalty on this turn, a scalar >= 0."""
        return self.gamma / 2 * squared_slope(turn, turn.fake, turn.x_fake).mean()


@dataclass(frozen=True)
class GradientPenalty:
    """weight E (|grad D(u)| - target)^2 at u between real and generated samples: WGAN-GP, Gulrajani et al. 2017.

    Equation 3 of arXiv 1704.00028: u = e x + (1 - e) G(z) with one e ~ U[0, 1] for each sample. A critic whose slope
    is `target` everywhere costs nothing.

    Args:
        weight: lambda (>= 0).
        target: slope to hold (>= 0); 1 for Wasserstein critics, 0 for zero-centred penalties.
        one_sided: punish only slopes above the target (section 4 of the paper discusses both).
    """

    weight: float = 10.0
    target: float = 1.0
    one_sided: bool = False

    def __post_init__(self) -> None:
        _check_weight("weight", self.weight)
        _check_weight("target", self.target)

    def __call__(self, turn: Turn) -> Tensor:
        """The penalty on this turn, a scalar >= 0."""
        x, x_fake = turn.x.detach(), turn.x_fake.detach()
        if x.shape != x_fake.shape:
            raise ValueError(f"real and generated samples differ in shape: {tuple(x.shape)}, {tuple(x_fake.shape)}")
        epsilon = turn.draws.uniform("gradient penalty", (len(x),) + (1,) * (x.dim() - 1))
        between = torch.lerp(x_fake, x, epsilon).requires_grad_()
        squared = squared_slope(turn, turn.judge(between), between)
        # sqrt has an infinite slope at 0, where a dead critic starts; the clamp gives it a zero one there.
        slope = squared.clamp_min(1e-24).sqrt()
        excess = slope - self.target
        return self.weight * (relu(excess) if self.one_sided else excess).square().mean()
