"""Terms of G on how its samples change with the latent."""

from dataclasses import dataclass, field
from math import prod, sqrt
from typing import ClassVar, cast

import torch
from torch import Tensor

from zerosum.game.distributed import own_rows
from zerosum.game.precision import at_least_float32
from zerosum.game.turn import Generator, Turn
from zerosum.protocols import Mapped
from zerosum.terms._common import check_player, check_weight, generated


@dataclass(frozen=True)
class ModeSeeking:
    """weight / E [|G(z) - G(z')| / |z - z'|], which leads samples of unlike latents apart: Mao et al. 2019.

    The ratio that MSGAN maximises (arXiv 1903.05628), inverted as in the authors' code, so that it pulls
    hardest where modes are lost. Distances are mean absolute differences. The second latent of a sample is its
    neighbour's in the batch, under the sample's own condition; without a condition, both samples are on the table
    already, and G is not run again.

    Args:
        weight: lambda (>= 0).
    """

    weight: float = 1.0
    whole_batch: ClassVar[str] = "compares each sample of the batch with the next"

    def __post_init__(self) -> None:
        check_weight("weight", self.weight)

    def __call__(self, turn: Turn) -> Tensor:
        """The term on this turn, a scalar in (0, 1e5 weight]."""
        check_player(turn, "G", self)
        every = turn.everyone(turn.z)
        if len(every) < 2:
            raise ValueError(f"ModeSeeking compares the samples of a batch and needs at least 2; found {len(every)}")
        z = own_rows(every.roll(1, 0))
        x = own_rows(turn.everyone(turn.x_fake).roll(1, 0)) if turn.c is None else generated(turn, z)
        apart = (turn.x_fake - x).abs().flatten(1).mean(1)
        # Latents that are equal, as two codes may be, count as a pair that is not apart.
        ratio = apart / (turn.z - z).abs().flatten(1).mean(1).clamp_min(1e-8)
        return self.weight / (turn.average(ratio.mean()) + 1e-5)


def _as_mapped(G: Generator) -> Mapped | None:
    """Return a generator as `Mapped` where it is one, else None."""
    # Not isinstance: from Python 3.12 on it does not see what a module holds as submodules.
    halves = [getattr(G, name, None) for name in ("mapping", "synthesis")]
    return cast(Mapped, G) if all(map(callable, halves)) else None


def _mapped(G: Generator, z: Tensor, c: Tensor | None) -> tuple[Tensor, Tensor]:
    """The latent w that G's slope is taken by, and the samples made of it; w is z where G has no mapping."""
    halves = _as_mapped(G)
    if halves is not None:
        w = halves.mapping(z, c)
        return w, halves.synthesis(w)
    return z, G(z) if c is None else G(z, c)


def _none_yet() -> Tensor:
    return torch.zeros(2, dtype=torch.float64)


@dataclass(frozen=True)
class PathLength:
    """weight E (|J^T y| - a)^2, J the Jacobian of G and y ~ N(0, I) per pixel: path length, Karras et al. 2020.

    Equation 4 of arXiv 1912.04958, StyleGAN2: a step in the latent should move the sample equally far everywhere and
    in every direction; a is the running mean of the lengths |J^T y| over the moves on which the term acts, and over
    all ranks, of the first ones their plain mean: one that sets out from 0 would hold G still for as long as it takes
    to rise. y is divided by the root of the number of pixels, so that a picture's size changes nothing.

    Of a `Mapped` generator, with `mapping(z, c) -> w` and `synthesis(w) -> x`, the Jacobian is by w, and the squared
    length is the mean over the layers where each has a w of its own, `(B, layers, size)`. Of any other generator it is
    by z. G runs anew for it. Batch norm in G ties its samples together, and so their lengths.

    Args:
        weight: weight (>= 0).
        decay: share of a that a move leaves, in [0, 1), once a stems from so many moves that their plain mean would
            leave more.
        shrink: the term sees one latent in this many (>= 1); it costs a second backward pass through G. Each rank's
            part of the batch should divide by it, else they see more latents than one process would.
    """

    weight: float = 2.0
    decay: float = 0.99
    shrink: int = 2
    # a, and how many moves it stems from; and both after the move under way.
    running: Tensor = field(default_factory=_none_yet, init=False, repr=False, compare=False)
    following: Tensor = field(default_factory=_none_yet, init=False, repr=False, compare=False)
    whole_batch: ClassVar[str] = "compares each length with a mean that the batch's lengths enter"

    def __post_init__(self) -> None:
        check_weight("weight", self.weight)
        if not 0 <= self.decay < 1:
            raise ValueError(f"decay is the share of the mean length that a move leaves, in [0, 1); found {self.decay}")
        if self.shrink < 1:
            raise ValueError(f"shrink counts latents of which one is seen, at least 1; found {self.shrink}")

    def __call__(self, turn: Turn) -> Tensor:
        """The penalty on this turn, a scalar >= 0, about a running mean that its own lengths have entered."""
        check_player(turn, "G", self)
        lengths = self._lengths(turn)
        observed = turn.average(lengths.detach().mean()).cpu().double()
        average, updates = self.running
        share = (1 / (updates + 1)).clamp_min(1 - self.decay)
        self.following.copy_(torch.stack([average.lerp(observed, share), updates + 1]))
        return self.weight * (lengths - self.following[0].item()).square().mean()

    def watch(self, player: str, turn: Turn, log: dict[str, Tensor]) -> None:
        """After a move of G: let the lengths that the term saw on it enter the running mean."""
        if player == "G":
            self.running.copy_(self.following)

    def _lengths(self, turn: Turn) -> Tensor:
        """|J^T y| of the latents seen `(B,)`, differentiable again."""
        # Every n-th latent, not the first ones: so any number of ranks sees what a single process would.
        z = turn.z[:: self.shrink].detach().requires_grad_()
        w, x = _mapped(turn.G, z, None if turn.c is None else turn.c[:: self.shrink])
        y = turn.draws.normal("path length", tuple(x.shape)).to(x) / sqrt(prod(x.shape[2:]))
        (slopes,) = torch.autograd.grad((x * y).sum(), w, create_graph=True, materialize_grads=True)
        squared = at_least_float32(slopes).square().sum(-1).view(len(z), -1).mean(1)
        return squared.clamp_min(1e-24).sqrt()  # the root of 0 has an infinite slope

    def state_dict(self) -> dict[str, Tensor]:
        """The mean length a, and how many moves it stems from, `(2,)`."""
        return {"running": self.running.clone()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Take a from `state_dict()`."""
        for mean in (self.running, self.following):
            mean.copy_(state["running"])
