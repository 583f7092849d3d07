"""Gradient penalties without a second derivative: the gradient norm is estimated by differences of scores."""

__all__ = ["FiniteDifferenceR1", "FiniteDifferenceR2"]

from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum.game.judgement import Judgement
from zerosum.game.turn import Turn
from zerosum.terms._common import check_player, check_weight


def squared_difference(turn: Turn, x: Tensor, step: float, shrink: int, role: str) -> Tensor:
    """((D(x + step v) - D(x - step v)) / (2 step))^2 of every n-th sample of x, `(B / shrink,)`, with v ~ N(0, I).

    Its mean over v is the squared gradient norm, but for O(step^2), and exactly so for a quadratic D. Both points pass
    through D together, so that they meet the same spectral norms, under one augmentation, and outside autocast, where
    rounding would be larger than the difference. Raises `ValueError` where D scores several samples together, and
    where `shrink` does not divide the batch.
    """
    # Every n-th sample, not the first ones, so that ranks and micro-batches use the samples of a single process.
    if len(x) % shrink:
        raise ValueError(f"shrink={shrink} has to divide the batch of a process or micro-batch; found {len(x)} samples")
    x = x.detach()[::shrink]
    v = step * turn.draws.normal(role, tuple(x.shape)).to(x)
    # Pairs side by side: layers that deal the batch out to groups then rarely compare a point with its own twin.
    points = torch.stack([turn.seen(x + v, role), turn.seen(x - v, role)], 1).flatten(0, 1)
    c = () if turn.c is None else (turn.c[::shrink].repeat_interleave(2, 0),)
    with torch.autocast(x.device.type, enabled=False):
        score = Judgement.of(turn.D(points, *c)).score
        if len(score) != len(points):
            raise ValueError(f"differences need a score of D for each sample; found {len(score)} for {len(points)}")
        plus, minus = score.reshape(len(x), 2, -1).sum(2).unbind(1)
        return ((plus - minus) / (2 * step)).square()


@dataclass(frozen=True)
class _FiniteDifference:
    """What both penalties share: their settings, and the penalty at samples x."""

    gamma: float = 1.0
    step: float = 0.01
    shrink: int = 4

    def __post_init__(self) -> None:
        check_weight("gamma", self.gamma)
        if not self.step > 0:
            raise ValueError(f"step is a length in units of the data, above 0; found {self.step}")
        if self.shrink < 1:
            raise ValueError(f"shrink divides the batch and is at least 1; found {self.shrink}")

    def _penalty(self, turn: Turn, x: Tensor, role: str) -> Tensor:
        check_player(turn, "D", self)
        return self.gamma / 2 * squared_difference(turn, x, self.step, self.shrink, role).mean()


@dataclass(frozen=True)
class FiniteDifferenceR1(_FiniteDifference):
    """gamma/2 E |grad_x D(x)|^2 on real samples, estimated by differences: `R1` without a second derivative.

    E ((D(x + step v) - D(x - step v)) / (2 step))^2 over directions v ~ N(0, I), one for each sample: an approximate R1
    as in Lin et al. 2025 (arXiv 2501.08316, section 3.4), who penalise (D(x) - D(x + noise))^2; the central difference
    leaves out the curvature of D. The estimate for a sample has a standard deviation of sqrt(2) times its mean, that
    of a batch of B sqrt(2 / B). It needs one ordinary pass of D, in at least float32, also where the run is in
    bfloat16. Dropout in D would count as a gradient.

    Args:
        gamma: weight (>= 0), as in `R1`.
        step: standard deviation of the difference of a number of the sample (> 0), in units of the data.
        shrink: the batch is reduced by this factor (>= 1), which divides it; so ranks and micro-batches, whose parts it
            has to divide too, use the samples of one process.
    """

    def __call__(self, turn: Turn) -> Tensor:
        """The penalty on this turn, a scalar >= 0."""
        return self._penalty(turn, turn.x, "difference at real")


@dataclass(frozen=True)
class FiniteDifferenceR2(_FiniteDifference):
    """gamma/2 E |grad_x D(x)|^2 on generated samples, estimated by differences: `R2` without a second derivative.

    See `FiniteDifferenceR1`.

    Args:
        gamma: weight (>= 0), as in `R1`.
        step: standard deviation of the difference of a number of the sample (> 0), in units of the data.
        shrink: the batch is reduced by this factor (>= 1), which divides it.
    """

    def __call__(self, turn: Turn) -> Tensor:
        """The penalty on this turn, a scalar >= 0."""
        return self._penalty(turn, turn.x_fake, "difference at fake")
