"""The exponential moving average (EMA) of the generator, from which samples are drawn."""

import math
from collections.abc import Iterator
from typing import Protocol

import torch
from torch import Tensor, nn

from zerosum.game.copies import copied
from zerosum.game.spectral import spectral_steps

_ITERATIONS = 3  # of the power iteration after each update, from the vectors of the last one


class _Finish(Protocol):
    """What is done to averaged weights before they are used, such as `StandingStatistics`."""

    def __call__(self, module: nn.Module, roughly: bool = False) -> None:
        """Finish the averaged module in place; roughly, with less work, for a look at it."""
        ...


class ExponentialMovingAverage:
    """A copy of a module whose weights are an exponential moving average, with a half-life in images.

    After each update w <- d w + (1 - d) w_now, d = 2^(-images / half_life). At the start the half-life is at most
    `rampup` times the images seen, so that the first, untrained weights are forgotten (Karras et al. 2022, arXiv
    2206.00364, appendix F.2). d is the exact decay over that growing half-life, so the batch size has no effect.
    Floating-point buffers (running statistics of batch norm) are averaged as well; other buffers are copied. The
    singular vectors of torch's spectral norms are those of the averaged weights.

    Args:
        module: the module to average.
        half_life: images after which an old weight counts half; 0 copies the module.
        rampup: largest half-life as a share of the images seen.

    Attributes:
        averaged: the averaged module in evaluation mode, finished or not.
        finish: called with the averaged module before it is used after an update, such as `StandingStatistics`, which
            gives batch norms the statistics of the averaged weights; None to leave it as averaged.
    """

    def __init__(self, module: nn.Module, half_life: float, rampup: float = 0.05) -> None:
        if not half_life >= 0 or not rampup > 0:
            raise ValueError(f"an EMA needs half_life >= 0 and rampup > 0; found {half_life} and {rampup}")
        self.half_life = half_life
        self.rampup = rampup
        self.before = 0  # images that the weights had seen before this run
        self.finish: _Finish | None = None
        self.finished = True  # since the last update
        self.averaged = copied(module).eval().requires_grad_(False)
        self._weights = [*zip(self.averaged.parameters(), module.parameters(), strict=True)]
        modules = zip(self.averaged.modules(), module.modules(), strict=True)
        self._places = [(mine, theirs, name) for mine, theirs in modules for name in theirs._buffers]
        self._spectral = [*spectral_steps(self.averaged)]

    @property
    def module(self) -> nn.Module:
        """The averaged module, finished, in evaluation mode."""
        if not self.finished:
            if self.finish is not None:
                self.finish(self.averaged)
            self.finished = True
        return self.averaged

    def rough(self) -> nn.Module:
        """The averaged module, roughly finished where it is not finished, for a look at it."""
        if self.finish is not None and not self.finished:
            self.finish(self.averaged, roughly=True)
        return self.averaged

    def _buffers(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield each buffer of the average and its current value, which may be another tensor, of another shape."""
        seen: set[int] = set()
        for mine, theirs, name in self._places:
            own, value = mine._buffers[name], theirs._buffers[name]
            if value is None or id(value) in seen:
                continue
            seen.add(id(value))
            if own is None or own.shape != value.shape or own.dtype != value.dtype:
                own = value.detach().clone()
                setattr(mine, name, own)
            yield own, value

    def _half_lives(self, seen: int) -> float:
        """Number of half-lives in `seen` images: the integral of 1 / min(half_life, rampup s)."""
        if seen <= 0:
            return -math.inf
        knee = self.half_life / self.rampup
        return math.log(min(seen, knee)) / self.rampup + max(seen - knee, 0.0) / self.half_life

    @torch.no_grad()
    def update(self, images: int, seen: int, unless: Tensor | None = None) -> None:
        """Update the average after a step of `images` images, `seen` being the total.

        Where the scalar `unless` is 1, nothing is changed; it stays on its device.
        """
        seen += self.before
        self.finished = False
        halvings = self._half_lives(seen) - self._half_lives(seen - images) if self.half_life else math.inf
        weight = 1.0 - 0.5**halvings
        pairs = [*self._weights, *self._buffers()]
        averaged = [(a, b.detach()) for a, b in pairs if a.is_floating_point()]
        mine, theirs = [a for a, _ in averaged], [b for _, b in averaged]
        if unless is not None:
            # The module's weights may be NaN then, and so would be 0 times these.
            kept = unless.bool()
            theirs = [torch.where(kept, a, b) for a, b in averaged]
        torch._foreach_lerp_(mine, theirs, weight)
        for a, b in pairs:
            if not a.is_floating_point():
                a.copy_(b if unless is None else torch.where(kept, a, b))
        for step in self._spectral:
            for _ in range(_ITERATIONS):
                step()
