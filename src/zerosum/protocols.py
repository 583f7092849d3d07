"""Protocols between packages that need nothing but torch.

Protocols that take a `Turn` or a game are in `game/`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn


class Objective(Protocol):
    """The losses of both players: scores `(B, ...)` in, scalar out. Higher scores mean more real.

    The scores are those of the whole batch, of all ranks.
    """

    @property
    def reads_real(self) -> bool:
        """Whether g_loss also needs the scores of real samples."""
        ...

    def d_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """The loss of the discriminator."""
        ...

    def g_loss(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """The loss of the generator."""
        ...


@runtime_checkable
class HasBoundary(Protocol):
    """An objective under which a score by itself means real or generated."""

    @property
    def boundary(self) -> float | None:
        """The score above which D takes a sample for real, such as a logit of 0; None if only differences matter."""
        ...


@runtime_checkable
class HasOptimum(Protocol):
    """An objective whose optimal discriminator is known: a function of the share p / (p + q) of real samples."""

    @property
    def probability(self) -> Callable[[Tensor], Tensor] | None:
        """Maps scores to what is p / (p + q) for the optimal discriminator; None if that has no closed form."""
        ...


@runtime_checkable
class HasDensity(Protocol):
    """A source of points whose density is known."""

    def log_density(self, x: Tensor) -> Tensor:
        """The logarithm of the density at points `(N, d)` in the units of the data, float64 `(N,)`."""
        ...


@dataclass(frozen=True)
class Reference:
    """What the numbers of an objective mean: the losses at its reference points, and a score.

    Attributes:
        score: what a score is, a noun phrase such as "the logit of the probability that a sample is real".
        equilibrium: D's loss for the best D where generated samples are distributed as the data; None if it depends on
            D or on the batch size.
        perfect: infimum of D's loss, for a D that separates the two sets; None if the loss has none.
        ranked: whether D is trained to give real samples higher scores than generated ones. Not so where scores are
            features, and in BEGAN.
    """

    score: str
    equilibrium: float | None = None
    perfect: float | None = None
    ranked: bool = True


@runtime_checkable
class HasReference(Protocol):
    """An objective that states its reference points."""

    @property
    def reference(self) -> Reference:
        """The losses at the equilibrium and of a perfect D, and what a score means."""
        ...


class Schedule(Protocol):
    """A factor over the course of a run."""

    def __call__(self, progress: float) -> float:
        """The factor at a progress in [0, 1]."""
        ...


class WeightProjection(Protocol):
    """A projection of a player's weights after each of its updates."""

    def __call__(self, network: nn.Module) -> None:
        """Change the network's parameters in place."""
        ...


@runtime_checkable
class Stateful(Protocol):
    """A part with a state, such as an objective with an adaptive balance."""

    def state_dict(self) -> dict[str, Tensor]:
        """The state, as named tensors."""
        ...

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Load the state."""
        ...


class Latent(Protocol):
    """A prior: a distribution of latent vectors z."""

    @property
    def size(self) -> int:
        """Number of dimensions of z."""
        ...

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Draw z, float32 `(count, size)`, from a CPU generator."""
        ...


class Mapped(Protocol):
    """A generator of two networks, G(z, c) = synthesis(mapping(z, c)), as StyleGAN; they may be submodules."""

    def mapping(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """Return the latent w, `(B, size)` or one for each layer `(B, layers, size)`, of z `(B, latent)`."""
        ...

    def synthesis(self, w: Tensor) -> Tensor:
        """Return the samples of w."""
        ...


@runtime_checkable
class Layered(Protocol):
    """A synthesis network of `count` layers, which takes one w for all, `(B, size)`, or one each `(B, count, size)`."""

    count: int


class Scored(Protocol):
    """A judgement, the output of a discriminator."""

    @property
    def score(self) -> Tensor:
        """Scores `(B, ...)`."""
        ...


class Timed(Protocol):
    """A clock."""

    @property
    def progress(self) -> float:
        """The progress of the run, 0 at its start and 1 at its end."""
        ...


class Watched(Protocol):
    """A turn, as objectives see it: both judgements, the clock, and the mean over ranks."""

    @property
    def real(self) -> Scored:
        """D's judgement of the real samples."""
        ...

    @property
    def fake(self) -> Scored:
        """D's judgement of the generated samples."""
        ...

    @property
    def clock(self) -> Timed:
        """The progress of the run."""
        ...

    def average(self, value: Tensor) -> Tensor:
        """The mean of a value over all ranks."""
        ...


@runtime_checkable
class Watching(Protocol):
    """An objective with a callback after every update."""

    def watch(self, player: str, turn: Watched, log: dict[str, Tensor]) -> None:
        """Called after each update of `player` with its turn and its log."""
        ...


class Distribution(Protocol):
    """A distribution on the real line."""

    @property
    def support(self) -> tuple[float, float]:
        """The interval outside which the density is 0."""
        ...

    def cdf(self, x: Tensor) -> Tensor:
        """F(x), the probability of being at most x."""
        ...

    def inverse_cdf(self, u: Tensor) -> Tensor:
        """F^-1(u) = inf {x : F(x) >= u}."""
        ...


@runtime_checkable
class Autoencoder(Protocol):
    """An encoder of images to latents, and its decoder."""

    def encode(self, x: Tensor) -> Tensor:
        """Images `(B, C, H, W)`, float32 in [-1, 1], to latents `(B, c, h, w)`, independently for each image."""
        ...

    def decode(self, latents: Tensor) -> Tensor:
        """Latents `(B, c, h, w)` to images `(B, C, H, W)`, which are clipped to [-1, 1] for display."""
        ...


class Coding(Protocol):
    """How the samples of networks represent those of the data: as latents of images, or as scaled points."""

    def decode(self, samples: Tensor, /) -> Tensor:
        """Samples of networks to samples of the data, on the CPU.

        Scaled latents `(N, c, h, w)` become images `(N, C, H, W)`, float32; scaled points `(N, d)` points in the units
        of the data, float64.
        """
        ...

    @property
    def facts(self) -> dict[str, Any]:
        """The JSON values that, with its tensors, are needed to rebuild it."""
        ...

    def state_dict(self) -> dict[str, Tensor]:
        """Its tensors by name."""
        ...
