"""Optimisers as values, which build a `torch.optim.Optimizer` for given parameters."""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import nn
from torch.optim import Optimizer

from zerosum.protocols import Schedule
from zerosum.recipes._opaque import Opaque
from zerosum.terms.schedules import Constant


class OptimiserSpec(Protocol):
    """Builds an optimiser; `schedule` maps the progress of the run to a factor on the learning rate."""

    @property
    def schedule(self) -> Schedule:
        """Factor on the learning rate as a function of the progress in [0, 1]."""
        ...

    def build(self, parameters: list[nn.Parameter]) -> Optimizer:
        """Return an optimiser of the parameters."""
        ...


def _check_rate(lr: float) -> None:
    if not lr > 0:
        raise ValueError(f"lr must be above 0; found {lr}")


@dataclass(frozen=True)
class Adam:
    """Adam: Kingma and Ba 2015 (arXiv 1412.6980); the defaults are DCGAN's (arXiv 1511.06434).

    Args:
        lr: learning rate (> 0).
        betas: decay of the first and second moments, each in [0, 1).
        eps: added to the square root of the second moment.
        schedule: factor on the learning rate over the run.
        beta2_schedule: factor on 1 - betas[1] over the run. In R3GAN (arXiv 2501.05441) betas[1] rises from 0.9 to
            0.99 along half a cosine: `betas=(0.0, 0.9), beta2_schedule=Cosine(end=0.1)`.
    """

    lr: float = 0.0002
    betas: tuple[float, float] = (0.5, 0.999)
    eps: float = 1e-8
    schedule: Schedule = Constant()
    beta2_schedule: Schedule = Constant()

    def __post_init__(self) -> None:
        _check_rate(self.lr)
        if not all(0 <= beta < 1 for beta in self.betas):
            raise ValueError(f"betas must be in [0, 1); found {self.betas}")
        if not self.eps >= 0:
            raise ValueError(f"eps must be at least 0; found {self.eps}")
        if not isinstance(self.beta2_schedule, Opaque) and len(self.betas) == 2:  # else a recipe refuses them
            for progress in (0.0, 0.5, 1.0):
                self._second(progress)

    def build(self, parameters: list[nn.Parameter]) -> Optimizer:
        """Return Adam over the parameters, with the fused implementation if the device supports it."""
        first, second = self.betas  # as the papers write them, (0, 0.99)
        fused = parameters[0].device.type in ("cpu", "cuda", "mps")
        return torch.optim.Adam(parameters, self.lr, (float(first), float(second)), self.eps, fused=fused)

    def adjust(self, optimiser: Optimizer, progress: float) -> None:
        """Set betas[1] of an optimiser for the progress in [0, 1]."""
        if self.beta2_schedule != Constant():
            for group in optimiser.param_groups:
                group["betas"] = (float(self.betas[0]), self._second(progress))

    def _second(self, progress: float) -> float:
        """betas[1] at a progress; raises `ValueError` where its schedule takes it out of [0, 1)."""
        second = 1 - (1 - self.betas[1]) * self.beta2_schedule(progress)
        if not 0 <= second < 1:
            raise ValueError(
                f"beta2_schedule is a factor on 1 - betas[1] that keeps betas[1] in [0, 1); at progress {progress:g} "
                f"it is {second}"
            )
        return second


@dataclass(frozen=True)
class RMSprop:
    """RMSprop, the optimiser of the original WGAN (arXiv 1701.07875, algorithm 1).

    Args:
        lr: learning rate (> 0).
        alpha: decay of the mean square, in [0, 1).
        schedule: factor on the learning rate over the run.
    """

    lr: float = 0.00005
    alpha: float = 0.99
    schedule: Schedule = Constant()

    def __post_init__(self) -> None:
        _check_rate(self.lr)
        if not 0 <= self.alpha < 1:
            raise ValueError(f"alpha must be in [0, 1); found {self.alpha}")

    def build(self, parameters: list[nn.Parameter]) -> Optimizer:
        """Return RMSprop over the parameters."""
        return torch.optim.RMSprop(parameters, self.lr, self.alpha, foreach=True)
