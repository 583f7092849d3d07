"""Colour transformations. Each is an affine map of the colours of an image, so consecutive ones are merged.

Each has a `colour(means, draws, purpose)`: the map `(B, C, C + 1)` of each sample, given the means `(B, C)` of its
channels. Samples are centred: 0 is a middle grey. Grey is the axis on which all channels are equal, so images of any
number of channels have a brightness, a contrast and a saturation; changes of saturation and hue do not affect images of
one channel.

Random strengths have one of two distributions: `uniform` as in DiffAugment (Zhao et al. 2020, arXiv 2006.10738), or
`normal` as in ADA (Karras et al. 2020, arXiv 2006.06676, appendix B).
"""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from zerosum.augment._checks import check_probability, check_strength
from zerosum.augment._mixing import channel_means, mixed
from zerosum.game.random import Draws

_Distribution = Literal["uniform", "normal"]


def _check_distribution(distribution: str) -> None:
    if distribution not in ("uniform", "normal"):
        raise ValueError(f"distribution is uniform (DiffAugment) or normal (ADA); found {distribution!r}")


def _factor(distribution: _Distribution, strength: float, count: int, draws: Draws, purpose: str) -> Tensor:
    """Factors `(B, 1, 1)` around 1: 1 + strength U(-1, 1), or 2^(strength n) with n standard normal."""
    if distribution == "uniform":
        return 1 + strength * (2 * draws.uniform(purpose, (count, 1, 1)) - 1)
    return (strength * draws.normal(purpose, (count, 1, 1))).exp2()


def _one(means: Tensor) -> Tensor:
    """The identity of colours `(1, C, C)`."""
    return torch.eye(means.shape[1], device=means.device)[None]


def _grey(means: Tensor) -> Tensor:
    """The projection `(1, C, C)` of colours on grey: the mean of the channels in each channel."""
    channels = means.shape[1]
    return torch.full((1, channels, channels), 1 / channels, device=means.device)


def _map(matrix: Tensor, offset: Tensor | None = None) -> Tensor:
    """The map colour -> matrix colour + offset, from `(B, C, C)` and `(B, C or 1, 1)`."""
    column = matrix[:, :, :1]
    beside = torch.zeros_like(column) if offset is None else offset.expand_as(column)
    return torch.cat((matrix, beside), 2)


@dataclass(frozen=True)
class Brightness:
    """An offset added to all channels: strength U(-1, 1) for `uniform`, strength n for `normal`.

    Args:
        strength: largest offset, or its standard deviation (>= 0): 0.5 in DiffAugment, 0.2 in ADA.
        distribution: `uniform` or `normal`.
    """

    strength: float = 0.5
    distribution: _Distribution = "uniform"

    def __post_init__(self) -> None:
        check_strength("strength", self.strength)
        _check_distribution(self.distribution)

    def colour(self, means: Tensor, draws: Draws, purpose: str) -> Tensor:
        """The maps of a batch with these channel means `(B, C)`."""
        shape = (len(means), 1, 1)
        n = 2 * draws.uniform(purpose, shape) - 1 if self.distribution == "uniform" else draws.normal(purpose, shape)
        return _map(_one(means).expand(len(means), -1, -1), self.strength * n)

    def __call__(self, x: Tensor, draws: Draws, purpose: str) -> Tensor:
        """The images with another brightness."""
        return mixed(x, self.colour(channel_means(x), draws, purpose))


@dataclass(frozen=True)
class Contrast:
    """Scale contrast by a random factor.

    For `uniform`, distances from the mean of the image times 1 + strength U(-1, 1); for `normal`, distances from 0
    times 2^(strength n).

    Args:
        strength: largest difference of the factor from 1, or standard deviation of its logarithm to base 2 (>= 0).
        distribution: `uniform` or `normal`.
    """

    strength: float = 0.5
    distribution: _Distribution = "uniform"

    def __post_init__(self) -> None:
        check_strength("strength", self.strength)
        _check_distribution(self.distribution)

    def colour(self, means: Tensor, draws: Draws, purpose: str) -> Tensor:
        """The maps of a batch with these channel means `(B, C)`."""
        factor = _factor(self.distribution, self.strength, len(means), draws, purpose)
        centre = means.mean(1).view(-1, 1, 1) if self.distribution == "uniform" else torch.zeros_like(factor)
        return _map(factor * _one(means), (1 - factor) * centre)

    def __call__(self, x: Tensor, draws: Draws, purpose: str) -> Tensor:
        """The images with another contrast."""
        return mixed(x, self.colour(channel_means(x), draws, purpose))


@dataclass(frozen=True)
class Saturation:
    """Scale saturation by a factor: 1 + strength U(-1, 1) for `uniform`, 2^(strength n) for `normal`.

    Args:
        strength: largest difference of the factor from 1, or standard deviation of its logarithm to base 2 (>= 0).
        distribution: `uniform` or `normal`.
    """

    strength: float = 1.0
    distribution: _Distribution = "uniform"

    def __post_init__(self) -> None:
        check_strength("strength", self.strength)
        _check_distribution(self.distribution)

    def colour(self, means: Tensor, draws: Draws, purpose: str) -> Tensor:
        """The maps of a batch with these channel means `(B, C)`."""
        factor = _factor(self.distribution, self.strength, len(means), draws, purpose)
        return _map(factor * _one(means) + (1 - factor) * _grey(means))

    def __call__(self, x: Tensor, draws: Draws, purpose: str) -> Tensor:
        """The images with another saturation."""
        return mixed(x, self.colour(channel_means(x), draws, purpose))


@dataclass(frozen=True)
class LumaFlip:
    """Invert luma with a given probability; hue and saturation stay.

    Args:
        probability: probability of inversion, in [0, 1].
    """

    probability: float = 0.5

    def __post_init__(self) -> None:
        check_probability("probability", self.probability)

    def colour(self, means: Tensor, draws: Draws, purpose: str) -> Tensor:
        """The maps of a batch with these channel means `(B, C)`."""
        flipped = (draws.uniform(purpose, (len(means), 1, 1)) < self.probability).float()
        return _map(_one(means) - 2 * flipped * _grey(means))

    def __call__(self, x: Tensor, draws: Draws, purpose: str) -> Tensor:
        """The images, some with inverted luma."""
        return mixed(x, self.colour(channel_means(x), draws, purpose))


@dataclass(frozen=True)
class Hue:
    """Rotate hue by an angle uniform in strength times [-pi, pi].

    Images whose number of channels is not 3 are not changed.

    Args:
        strength: largest angle as a fraction of pi, in [0, 1].
    """

    strength: float = 1.0

    def __post_init__(self) -> None:
        check_probability("strength", self.strength)

    def colour(self, means: Tensor, draws: Draws, purpose: str) -> Tensor:
        """The maps of a batch with these channel means `(B, C)`."""
        one, grey = _one(means), _grey(means)
        if means.shape[1] != 3:
            return _map(one.expand(len(means), -1, -1))
        angle = (2 * draws.uniform(purpose, (len(means), 1, 1)) - 1) * (self.strength * math.pi)
        # Rodrigues' formula; the axis is (1, 1, 1) / sqrt 3, and `across` its cross product with a colour.
        across = (one.roll(1, 1) - one.roll(-1, 1)) / math.sqrt(3)
        return _map(angle.cos() * (one - grey) + grey + angle.sin() * across)

    def __call__(self, x: Tensor, draws: Draws, purpose: str) -> Tensor:
        """The images with another hue."""
        return mixed(x, self.colour(channel_means(x), draws, purpose))
