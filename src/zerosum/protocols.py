"""The seams between rooms that need nothing but torch: what a part must offer, whatever room it is from.

Protocols that take a `Turn` or a game stand beside it, in `game/`.
"""

from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn


class Objective(Protocol):
    """What the two players want: scores `(B, ...)` in, scalar out. Higher scores mean more real.

    The scores are those of the whole batch, of all ranks.
    """

    @property
    def reads_real(self) -> bool:
        """Whether g_loss also needs the scores of real samples."""
        ...

    def d_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """What the discriminator minimises."""
        ...

    def g_loss(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """What the generator minimises."""
        ...


class Schedule(Protocol):
    """A factor over the course of a run."""

    def __call__(self, progress: float) -> float:
        """The factor at a progress in [0, 1]."""
        ...


class WeightProjection(Protocol):
    """What is done to a player's weights after each of its moves."""

    def __call__(self, network: nn.Module) -> None:
        """Change the network's parameters in place."""
        ...


@runtime_checkable
class Stateful(Protocol):
    """A part with memory of its own, such as an objective whose balance adapts."""

    def state_dict(self) -> dict[str, Tensor]:
        """Its memory, as named tensors."""
        ...

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Take the memory back."""
        ...


class Latent(Protocol):
    """A law of latent vectors z of `size` numbers."""

    @property
    def size(self) -> int:
        """Number of entries of z."""
        ...

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Draw z, float32 `(count, size)`, from a CPU generator."""
        ...


class Mapped(Protocol):
    """A generator in two halves, G(z, c) = synthesis(mapping(z, c)), as StyleGAN's; submodules serve as methods."""

    def mapping(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """Return the latent w, `(B, size)` or one for each layer `(B, layers, size)`, of z `(B, latent)`."""
        ...

    def synthesis(self, w: Tensor) -> Tensor:
        """Return the samples of w."""
        ...


class Judged(Protocol):
    """A judgement."""

    @property
    def score(self) -> Tensor:
        """Scores `(B, ...)`."""
        ...


class Timed(Protocol):
    """A clock."""

    @property
    def progress(self) -> float:
        """How far the run is, 0 at its start and 1 at its end."""
        ...


class Watched(Protocol):
    """A turn: both judgements, the clock, and the mean over ranks."""

    @property
    def real(self) -> Judged:
        """D's judgement of the real samples."""
        ...

    @property
    def fake(self) -> Judged:
        """D's judgement of the generated samples."""
        ...

    @property
    def clock(self) -> Timed:
        """How far the run is."""
        ...

    def average(self, value: Tensor) -> Tensor:
        """The mean of a value over all ranks."""
        ...


@runtime_checkable
class Watching(Protocol):
    """An objective that is told of every move."""

    def watch(self, player: str, turn: Watched, log: dict[str, Tensor]) -> None:
        """Called after each move of `player` with its turn and its log."""
        ...


class Distribution(Protocol):
    """A law on the line."""

    @property
    def support(self) -> tuple[float, float]:
        """The interval outside which the law has nothing."""
        ...

    def cdf(self, x: Tensor) -> Tensor:
        """F(x), the probability of being at most x."""
        ...

    def inverse_cdf(self, u: Tensor) -> Tensor:
        """F^-1(u) = inf {x : F(x) >= u}."""
        ...


@runtime_checkable
class Autoencoder(Protocol):
    """Whatever makes latents of pictures, and pictures of latents."""

    def encode(self, x: Tensor) -> Tensor:
        """Pictures `(B, C, H, W)`, float32 in [-1, 1], to latents `(B, c, h, w)`, each picture by itself."""
        ...

    def decode(self, latents: Tensor) -> Tensor:
        """Latents `(B, c, h, w)` to pictures `(B, C, H, W)`, of which [-1, 1] is shown."""
        ...


class Coding(Protocol):
    """How samples, which are latents of an autoencoder, represent images."""

    def decode(self, latents: Tensor) -> Tensor:
        """Scaled latents `(N, c, h, w)` to images `(N, C, H, W)`, float32 on the CPU."""
        ...

    @property
    def facts(self) -> dict[str, Any]:
        """What it is rebuilt from beside its tensors, as JSON can hold it."""
        ...

    def state_dict(self) -> dict[str, Tensor]:
        """Its tensors by name."""
        ...
