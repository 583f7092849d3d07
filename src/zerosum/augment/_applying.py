"""Random composition of transformations; consecutive ones of the same kind are merged into one."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar, Protocol, runtime_checkable

import torch
from torch import Tensor

from zerosum.augment._affine import composed, identity, transformed
from zerosum.augment._bands import BANDS, amplified
from zerosum.augment._mixing import channel_means, mixed
from zerosum.augment._sampling import image_size, resampled
from zerosum.game.random import Draws
from zerosum.game.turn import Transformation


@runtime_checkable
class Motion(Protocol):
    """A geometric transformation: an affine map of coordinates."""

    whole: ClassVar[bool]

    def motion(self, shape: torch.Size, draws: Draws, purpose: str) -> Tensor:
        """The maps `(B, 2, 3)` from coordinates in the result to coordinates in the image."""
        ...


@runtime_checkable
class Colouring(Protocol):
    """A transformation that is an affine map of colours."""

    def colour(self, means: Tensor, draws: Draws, purpose: str) -> Tensor:
        """The maps `(B, C, C + 1)` for images with these channel means `(B, C)`."""
        ...


@runtime_checkable
class Amplifier(Protocol):
    """A transformation that amplifies frequency bands."""

    def gains(self, count: int, draws: Draws, purpose: str) -> Tensor:
        """The factors `(B, 4)` of the bands."""
        ...


@runtime_checkable
class Grouped(Protocol):
    """Transformations that are applied with a probability of their own."""

    @property
    def factor(self) -> float:
        """Their probability, as a multiple of that of the others."""
        ...

    @property
    def parts(self) -> tuple[Transformation, ...]:
        """The transformations."""
        ...


@dataclass(frozen=True, eq=False)
class _Step:
    """A transformation, a mask `(B,)` of the samples that it is applied to, and the purpose of its random numbers."""

    part: Transformation
    mask: Tensor
    purpose: str

    def on(self, new: Tensor, old: Tensor) -> Tensor:
        """The new values where the transformation is applied, the old ones elsewhere."""
        return torch.where(self.mask.view(-1, *(1,) * (new.dim() - 1)), new, old)


def applied(parts: Sequence[Transformation], x: Tensor, draws: Draws, purpose: str, p: float = 1.0) -> Tensor:
    """The samples after all parts in order, each part applied to each sample independently with probability p.

    Those of a group are applied with p times its factor. A part that occurs k times is applied with probability
    1 - (1 - p)^(1/k) each time, so that p is the probability that it is applied at all, as for ADA's two rotations.
    """
    single = _single(parts, p)
    if p <= 0 or not single:
        return x
    share = draws.uniform(f"{purpose}: which", (len(x), len(single)))
    steps = [
        _Step(part, share[:, i] < 1 - (1 - own) ** (1 / single.count((part, own))), _named(purpose, i, part))
        for i, (part, own) in enumerate(single)
    ]
    for _, run in groupby(steps, key=lambda step: _kind(step.part)):
        x = _at_once([*run], x, draws)
    return x


def _single(parts: Sequence[Transformation], p: float) -> list[tuple[Transformation, float]]:
    """Each transformation with its probability, those of groups among the others."""
    found: list[tuple[Transformation, float]] = []
    for part in parts:
        found += _single(part.parts, min(p * part.factor, 1.0)) if isinstance(part, Grouped) else [(part, p)]
    return found


def _named(purpose: str, place: int, part: Transformation) -> str:
    return f"{purpose}: {place} {type(part).__name__}"


def _kind(part: Transformation) -> int:
    kinds = [isinstance(part, Motion), isinstance(part, Colouring), isinstance(part, Amplifier), True]
    return kinds.index(True)


def _at_once(run: list[_Step], x: Tensor, draws: Draws) -> Tensor:
    """Apply consecutive parts of one kind at once."""
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
    image_size(x.shape)
    total = still = identity(2, x.device)
    whole = True
    for step in run:
        assert isinstance(step.part, Motion)
        # Maps go from result to image, so the last transformation is applied to coordinates first.
        total = composed(total, step.on(step.part.motion(x.shape, draws, step.purpose), still))
        whole = whole and step.part.whole
    return resampled(x, total, whole)


def _colours(run: list[_Step], x: Tensor, draws: Draws) -> Tensor:
    means = channel_means(x)
    total = same = identity(x.shape[1], x.device)
    for step in run:
        assert isinstance(step.part, Colouring)
        one = step.on(step.part.colour(means, draws, step.purpose), same)
        total, means = composed(one, total), transformed(one, means)
    return mixed(x, total)


def _gains(run: list[_Step], x: Tensor, draws: Draws) -> Tensor:
    image_size(x.shape)
    total = torch.ones(1, BANDS, device=x.device)
    for step in run:
        assert isinstance(step.part, Amplifier)
        gains = step.part.gains(len(x), draws, step.purpose)
        total = total * step.on(gains, torch.ones_like(gains))
    return amplified(x, total)
