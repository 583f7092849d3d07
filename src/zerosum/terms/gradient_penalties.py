"""Gradient penalties: on the gradient norm of the discriminator with respect to its input.

Gradients are per sample: of a sample's score (the sum of its score map) by that sample alone, so no value depends on
the batch size. They reuse the forward pass of the loss, and sums are computed in float32.
"""

__all__ = ["R1", "R2", "Dragan", "GradientPenalty", "RothRegularizer"]

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid, relu

from zerosum.game.judgement import Judgement
from zerosum.game.precision import at_least_float32
from zerosum.game.turn import Turn
from zerosum.terms._common import check_weight


def squared_gradient_norm(turn: Turn, judgement: Judgement, x: Tensor) -> Tensor:
    """The squared gradient norm `(B,)` of each sample's score by that sample of x `(B, ...)`, differentiable again.

    Raises `ValueError` in an update of G.
    """
    if turn.player != "D":
        raise ValueError("gradient penalties differentiate by D's input: put them among d_terms, not g_terms")
    (gradient,) = torch.autograd.grad(judgement.score.sum(), x, create_graph=True, materialize_grads=True)
    return at_least_float32(gradient).square().flatten(1).sum(1)


def interpolates(turn: Turn) -> Tensor:
    """Points `(B, ...)` between real and generated samples, e x + (1 - e) G(z) with one e ~ U[0, 1] for each pair.

    Raises `ValueError` where real and generated samples differ in shape.
    """
    x, x_fake = turn.x.detach(), turn.x_fake.detach()
    if x.shape != x_fake.shape:
        raise ValueError(f"real and generated samples differ in shape: {tuple(x.shape)}, {tuple(x_fake.shape)}")
    epsilon = turn.draws.uniform("gradient penalty", (len(x),) + (1,) * (x.dim() - 1)).to(x)
    return torch.lerp(x_fake, x, epsilon)


def _penalty(turn: Turn, points: Tensor, target: float, one_sided: bool) -> Tensor:
    """E (|grad D(u)| - target)^2 over points u `(B, ...)`; one-sided, only gradient norms above the target count."""
    points.requires_grad_()
    squared = squared_gradient_norm(turn, turn.judge(points), points)
    # The derivative of sqrt is infinite at 0, the norm of a constant critic; the clamp makes it 0 there.
    excess = squared.clamp_min(1e-24).sqrt() - target
    return (relu(excess) if one_sided else excess).square().mean()


@dataclass(frozen=True)
class R1:
    """gamma/2 E |grad_x D(x)|^2 on real samples: Mescheder, Geiger and Nowozin 2018 (arXiv 1801.04406), equation 9.

    Args:
        gamma: weight (>= 0). Grows with resolution: 1 for small images and 2-D toy data, 10 for faces at 256.
    """

    gamma: float = 1.0

    def __post_init__(self) -> None:
        check_weight("gamma", self.gamma)

    def __call__(self, turn: Turn) -> Tensor:
        """The penalty on this turn, a scalar >= 0."""
        return self.gamma / 2 * squared_gradient_norm(turn, turn.real, turn.x).mean()


@dataclass(frozen=True)
class R2:
    """gamma/2 E |grad_x D(x)|^2 on generated samples: Mescheder et al. 2018 (arXiv 1801.04406), equation 10.

    Args:
        gamma: weight (>= 0), as in `R1`.
    """

    gamma: float = 1.0

    def __post_init__(self) -> None:
        check_weight("gamma", self.gamma)

    def __call__(self, turn: Turn) -> Tensor:
        """The penalty on this turn, a scalar >= 0."""
        return self.gamma / 2 * squared_gradient_norm(turn, turn.fake, turn.x_fake).mean()


@dataclass(frozen=True)
class GradientPenalty:
    """weight E (|grad D(u)| - target)^2 at u between real and generated samples: WGAN-GP, Gulrajani et al. 2017.

    Equation 3 of arXiv 1704.00028: u = e x + (1 - e) G(z) with one e ~ U[0, 1] for each sample.

    Args:
        weight: lambda (>= 0).
        target: target gradient norm (>= 0); 1 for Wasserstein critics, 0 for zero-centred penalties.
        one_sided: penalise only gradient norms above the target (section 4 of the paper discusses both).
    """

    weight: float = 10.0
    target: float = 1.0
    one_sided: bool = False

    def __post_init__(self) -> None:
        check_weight("weight", self.weight)
        check_weight("target", self.target)

    def points(self, turn: Turn) -> Tensor:
        """The points u `(B, ...)` of this turn."""
        return interpolates(turn)

    def __call__(self, turn: Turn) -> Tensor:
        """The penalty on this turn, a scalar >= 0."""
        return self.weight * _penalty(turn, self.points(turn), self.target, self.one_sided)


@dataclass(frozen=True)
class Dragan:
    """weight E (|grad D(x + d)| - target)^2 at noisy real samples: DRAGAN, Kodali et al. 2017 (arXiv 1705.07215).

    d ~ N(0, c I), independent for each sample, as in the paper. As in the authors' code, the noise scales with the
    data: sqrt(c) = noise * s, with s the standard deviation of all elements of the real batch, over all ranks. So the
    smaller the batch, the noisier s. That code takes d = 0.5 s a u, with a uniform in [0, 1] for each sample and u for
    each element; the default has its root mean square, s / 6.

    Args:
        weight: lambda (>= 0).
        target: target gradient norm (>= 0), k in the paper: 1 for the authors' data in [0, 1], which is 0.5 for the
            same data in [-1, 1].
        noise: standard deviation of the noise, as a multiple of that of the data (> 0).
        one_sided: penalise only gradient norms above the target.
    """

    weight: float = 10.0
    target: float = 1.0
    noise: float = 0.167
    one_sided: bool = False
    whole_batch: ClassVar[str] = "scales its noise by the standard deviation of the batch"

    def __post_init__(self) -> None:
        check_weight("weight", self.weight)
        check_weight("target", self.target)
        if not self.noise > 0:
            raise ValueError(f"noise is a share of the data's standard deviation, above 0; found {self.noise}")

    def points(self, turn: Turn) -> Tensor:
        """The points x + d `(B, ...)` of this turn."""
        x = turn.x.detach()
        mean = turn.average(x.mean())
        std = turn.average((x - mean).square().mean()).sqrt()
        noise = turn.draws.normal("dragan", tuple(x.shape)).to(x)
        return x + self.noise * std * noise

    def __call__(self, turn: Turn) -> Tensor:
        """The penalty on this turn, a scalar >= 0."""
        return self.weight * _penalty(turn, self.points(turn), self.target, self.one_sided)


@dataclass(frozen=True)
class RothRegularizer:
    """gamma/2 (E (1 - D(x))^2 |grad s(x)|^2 + E D(G(z))^2 |grad s(G(z))|^2), with D = sigmoid(s): Roth et al. 2017.

    The regulariser of the Jensen-Shannon GAN in arXiv 1705.09367: to first order, the effect of noise on real and
    generated samples on the logistic loss, so gradients are not penalised where D is confident and right. Since
    (1 - D) grad s = grad log D and D grad s = -grad log(1 - D), these are the gradients of the two logarithms; for a
    score map, of the sum over the map. The score has to be a logit.

    Args:
        gamma: weight (>= 0), the variance of that noise; the paper decreases it over the run, see `Scheduled`.
    """

    gamma: float = 0.1

    def __post_init__(self) -> None:
        check_weight("gamma", self.gamma)

    def __call__(self, turn: Turn) -> Tensor:
        """The penalty on this turn, a scalar >= 0."""
        on_real = squared_gradient_norm(turn, Judgement(logsigmoid(turn.real.score)), turn.x).mean()
        on_fake = squared_gradient_norm(turn, Judgement(logsigmoid(-turn.fake.score)), turn.x_fake).mean()
        return self.gamma / 2 * (on_real + on_fake)
