"""Transformations one after another, each of them on some of the samples. Neighbours of a kind are done at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar, Protocol, runtime_checkable

import torch
from torch import Tensor

from zerosum.augment._affine import carried, composed, identity
from zerosum.augment._bands import BANDS, amplified
from zerosum.augment._mixing import channel_means, mixed
from zerosum.augment._sampling import moved, sides
from zerosum.game.random import Draws
from zerosum.game.turn import Transformation


@runtime_checkable
class Motion(Protocol):
    """A transformation that is an affine map of places."""

    whole: ClassVar[bool]

    def motion(self, shape: torch.Size, draws: Draws, purpose: str) -> Tensor:
        """The maps `(B, 2, 3)` from places in the result to places in the picture."""
        ...


@runtime_checkable
class Colouring(Protocol):
    """A transformation that is an affine map of colours."""

    def colour(self, means: Tensor, draws: Draws, purpose: str) -> Tensor:
        """The maps `(B, C, C + 1)` for pictures with these channel means `(B, C)`."""
        ...


@runtime_checkable
class Amplifier(Protocol):
    """A transformation that amplifies frequency bands."""

    def gains(self, count: int, draws: Draws, purpose: str) -> Tensor:
        """The factors `(B, 4)` of the bands."""
        ...


@dataclass(frozen=True, eq=False)
class _Step:
    """A transformation, the samples `(B,)` that it is done to, and what its random numbers are drawn for."""

    part: Transformation
    taken: Tensor
    purpose: str

    def on(self, new: Tensor, old: Tensor) -> Tensor:
        """The new where the transformation is done, the old elsewhere."""
        return torch.where(self.taken.view(-1, *(1,) * (new.dim() - 1)), new, old)


def applied(parts: Sequence[Transformation], x: Tensor, draws: Draws, purpose: str, p: float = 1.0) -> Tensor:
    """The samples after all parts in their order, each part done to each sample with probability p by itself.

    A part that stands k times is done with 1 - (1 - p)^(1/k) each, so that p is the probability of it being done at
    all, as ADA has its two rotations.
    """
    if p <= 0 or not parts:
        return x
    share = draws.uniform(f"{purpose}: which", (len(x), len(parts)))
    steps = [
        _Step(part, share[:, i] < 1 - (1 - p) ** (1 / parts.count(part)), f"{purpose}: {i} {type(part).__name__}")
        for i, part in enumerate(parts)
    ]
    for _, run in groupby(steps, key=lambda step: _kind(step.part)):
        x = _at_once([*run], x, draws)
    return x


def _kind(part: Transformation) -> int:
    kinds = [isinstance(part, Motion), isinstance(part, Colouring), isinstance(part, Amplifier), True]
    return kinds.index(True)


def _at_once(run: list[_Step], x: Tensor, draws: Draws) -> Tensor:
    """A run of parts of one kind."""
    match run[0].part:
        case Motion():
            return _motions(run, x, draws)
        case Colouring():
            return _colours(run, x, draws)
        case Amplifier():
            return _gains(run, x, draws)
    for step in run:
        x = step.on(step.part(x, draws, step.purpose), x)
    return x


def _motions(run: list[_Step], x: Tensor, draws: Draws) -> Tensor:
    sides(x.shape)
    total = still = identity(2, x.device)
    whole = True
    for step in run:
        assert isinstance(step.part, Motion)
        # What is done last is asked first where a place of the result comes from.
        total = composed(total, step.on(step.part.motion(x.shape, draws, step.purpose), still))
        whole = whole and step.part.whole
    return moved(x, total, whole)


def _colours(run: list[_Step], x: Tensor, draws: Draws) -> Tensor:
    means = channel_means(x)
    total = same = identity(x.shape[1], x.device)
    for step in run:
        assert isinstance(step.part, Colouring)
        one = step.on(step.part.colour(means, draws, step.purpose), same)
        total, means = composed(one, total), carried(one, means)
    return mixed(x, total)


def _gains(run: list[_Step], x: Tensor, draws: Draws) -> Tensor:
    sides(x.shape)
    total = torch.ones(1, BANDS, device=x.device)
    for step in run:
        assert isinstance(step.part, Amplifier)
        gains = step.part.gains(len(x), draws, step.purpose)
        total = total * step.on(gains, torch.ones_like(gains))
    return amplified(x, total)
