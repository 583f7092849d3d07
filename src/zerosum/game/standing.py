"""Standing statistics: running statistics of batch norm that belong to averaged weights."""

__all__ = ()

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from zerosum.game.precision import at_least_float32
from zerosum.game.random import stream
from zerosum.protocols import Latent

BATCHES = 16  # passes of G, as in the code of BigGAN: together a few training steps
_FEW = 256  # samples, at least, for a look


@dataclass(frozen=True, eq=False)
class StandingStatistics:
    """Recomputes the running statistics of a generator's batch norms from samples: Brock et al. 2019, section 4.1.

    The average of the statistics of past weights is not that of the averaged weights (arXiv 1809.11096; Izmailov et al.
    2018, arXiv 1803.05407, section 3.2). So G is run on fixed latents, in batches as in training, each batch norm
    normalising by its batch, and the mean of the batches' means and (unbiased) variances become the running ones. They
    depend on the weights and the seed alone, whenever they are computed. All other layers are as in evaluation.

    Attributes:
        latent: the prior of z.
        seed: random seed of the latents, which have a stream of their own.
        batch: samples per batch.
        condition: returns the encoded conditions `(batch, ...)` of a batch by its index; None without conditions.
        batches: number of batches.
    """

    latent: Latent
    seed: int
    batch: int
    condition: Callable[[int], Tensor] | None = None
    batches: int = BATCHES

    @torch.no_grad()
    def __call__(self, module: nn.Module, roughly: bool = False) -> None:
        """Recompute the statistics of a generator in evaluation mode, `G(z[, c]) -> x`, in place.

        Roughly, they are those of the first batches of 256 samples or more.
        """
        weight = next(module.parameters())
        with _measured(module):
            for index in range(min(self.batches, -(-_FEW // self.batch)) if roughly else self.batches):
                z = self.latent.draw(self.batch, stream(self.seed, "standing statistics", index))
                c = () if self.condition is None else (self.condition(index).to(weight.device),)
                module(z.to(weight), *c)


def running_norms(module: nn.Module) -> list[_BatchNorm]:
    """The batch norms within a module that have running statistics."""
    return [part for part in module.modules() if isinstance(part, _BatchNorm) and part.running_mean is not None]


@contextmanager
def _measured(module: nn.Module) -> Iterator[None]:
    """Let batch norms normalise by each batch, here alone whatever the ranks; at the end they have the mean of all."""
    met: dict[_BatchNorm, list[tuple[Tensor, Tensor]]] = {norm: [] for norm in running_norms(module)}
    hooks = [norm.register_forward_pre_hook(partial(_meet, found)) for norm, found in met.items()]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
    for norm, found in met.items():
        if found:
            _set(norm, *(torch.stack(values).mean(0) for values in zip(*found, strict=True)))


def _meet(found: list[tuple[Tensor, Tensor]], norm: nn.Module, inputs: tuple[Any, ...]) -> None:
    h: Tensor = at_least_float32(inputs[0])
    variance, mean = torch.var_mean(h, [0, *range(2, h.dim())], correction=0)
    count = h.numel() // h.shape[1]
    found.append((mean, variance * (count / max(count - 1, 1))))
    assert isinstance(norm, _BatchNorm)
    _set(norm, mean, variance)


def _set(norm: _BatchNorm, mean: Tensor, variance: Tensor) -> None:
    assert norm.running_mean is not None and norm.running_var is not None
    norm.running_mean.copy_(mean)
    norm.running_var.copy_(variance)
