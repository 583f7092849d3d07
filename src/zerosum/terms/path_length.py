"""Path length regularisation of G."""

from dataclasses import dataclass, field
from math import prod, sqrt
from typing import ClassVar, cast

import torch
from torch import Tensor

from zerosum.game.precision import at_least_float32
from zerosum.game.turn import Generator, Turn
from zerosum.protocols import Layered, Mapped
from zerosum.terms._common import check_player, check_weight


def _as_mapped(G: Generator) -> Mapped | None:
    """Return a generator as `Mapped` where it is one, else None."""
    # Not isinstance: from Python 3.12 on it ignores submodules.
    networks = [getattr(G, name, None) for name in ("mapping", "synthesis")]
    return cast(Mapped, G) if all(map(callable, networks)) else None


def _mapped(G: Generator, z: Tensor, c: Tensor | None) -> tuple[Tensor, Tensor]:
    """The latent w of the Jacobian of G, and its samples; w is z where G has no mapping."""
    mapped = _as_mapped(G)
    if mapped is None:
        return z, at_least_float32(G(z) if c is None else G(z, c))
    w = mapped.mapping(z, c)
    if w.dim() == 2 and isinstance(mapped.synthesis, Layered):
        # By a w that all layers share, their gradients would add up to one, of a norm sqrt(layers) too large.
        w = w[:, None].expand(-1, mapped.synthesis.count, -1)
    return w, at_least_float32(mapped.synthesis(w))


def _none_yet() -> Tensor:
    return torch.zeros(2, dtype=torch.float64)


@dataclass(frozen=True)
class PathLength:
    """weight E (|J^T y| - a)^2, J the Jacobian of G and y ~ N(0, I) per pixel: path length, Karras et al. 2020.

    Equation 4 of arXiv 1912.04958, StyleGAN2: a step in the latent should change the sample by the same length
    everywhere and in every direction. a is the running mean of the lengths |J^T y| over the updates in which the term
    is active, and over all ranks. At first it is the arithmetic mean: a running mean that starts at 0 would suppress
    the Jacobian until it has risen. y is divided by the root of the number of pixels, so the value is independent of
    the image size.

    For a `Mapped` generator, with `mapping(z, c) -> w` and `synthesis(w) -> x`, the Jacobian is by w, and where each
    layer has a w of its own, `(B, layers, size)`, the squared length is the mean over the layers. So it is for
    StyleGAN2, whose layers share w: as in the authors' code, the Jacobian is by the w of each layer. For any other
    generator it is by z. G is run again for it. Batch norm in G makes the lengths depend on the batch.

    Args:
        weight: weight (>= 0).
        decay: share of a that an update keeps, in [0, 1), once the arithmetic mean would keep more.
        shrink: the batch is reduced by this factor (>= 1), since the term needs a second backward pass through G. It
            should divide each rank's part of the batch, else the ranks use more latents than one process would.
    """

    weight: float = 2.0
    decay: float = 0.99
    shrink: int = 2
    # a and its number of updates; and both after the current update.
    running: Tensor = field(default_factory=_none_yet, init=False, repr=False, compare=False)
    following: Tensor = field(default_factory=_none_yet, init=False, repr=False, compare=False)
    whole_batch: ClassVar[str] = "compares each length with a mean that includes the batch"

    def __post_init__(self) -> None:
        check_weight("weight", self.weight)
        if not 0 <= self.decay < 1:
            raise ValueError(f"decay is that of the mean length, in [0, 1); found {self.decay}")
        if self.shrink < 1:
            raise ValueError(f"shrink divides the batch and is at least 1; found {self.shrink}")

    def __call__(self, turn: Turn) -> Tensor:
        """The penalty on this turn, a scalar >= 0; the running mean includes the lengths of this turn."""
        check_player(turn, "G", self)
        lengths = self._lengths(turn)
        observed = turn.average(lengths.detach().mean()).cpu().double()
        average, updates = self.running
        share = (1 / (updates + 1)).clamp_min(1 - self.decay)
        self.following.copy_(torch.stack([average.lerp(observed, share), updates + 1]))
        return self.weight * (lengths - self.following[0].item()).square().mean()

    def watch(self, player: str, turn: Turn, log: dict[str, Tensor]) -> None:
        """After an update of G: update the running mean."""
        if player == "G":
            self.running.copy_(self.following)

    def _lengths(self, turn: Turn) -> Tensor:
        """|J^T y| of every n-th latent `(B / shrink,)`, differentiable again."""
        # Every n-th latent, not the first ones, so that any number of ranks uses the latents of a single process.
        z = turn.z[:: self.shrink].detach().requires_grad_()
        w, x = _mapped(turn.G, z, None if turn.c is None else turn.c[:: self.shrink])
        y = turn.draws.normal("path length", tuple(x.shape)).to(x) / sqrt(prod(x.shape[2:]))
        (gradient,) = torch.autograd.grad((x * y).sum(), w, create_graph=True, materialize_grads=True)
        squared = at_least_float32(gradient).square().sum(-1).view(len(z), -1).mean(1)
        return squared.clamp_min(1e-24).sqrt()  # the derivative of sqrt is infinite at 0

    def state_dict(self) -> dict[str, Tensor]:
        """The mean length a and its number of updates, `(2,)`."""
        return {"running": self.running.clone()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Load a from `state_dict()`."""
        for mean in (self.running, self.following):
            mean.copy_(state["running"])
