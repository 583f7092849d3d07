"""Layers of both networks: singular values, and units that are constant."""

__all__ = ()

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from zerosum.diagnostics.signals.subject import Subject
from zerosum.game.distributed import everyone
from zerosum.game.judgement import Judgement
from zerosum.networks.layers.spectral import SpectralNorm

_LARGEST = 256  # rows or columns, whichever are fewer, of a matrix whose singular values are computed
_MATRICES = 6  # of a network, at most
_SMALL = 0.1  # of the largest singular value

Ranges = dict[nn.Module, list[Tensor]]  # by layer, in the order of their first calls


def spectra(subject: Subject) -> dict[str, Tensor]:
    """The share of small singular values in G and D."""
    networks = subject.trained.networks
    found = {name: _small_share(networks[name]) for name in ("G", "D") if name in networks}
    return {f"spectrum_{name}": share for name, share in found.items() if share is not None}


def _small_share(network: nn.Module) -> Tensor | None:
    """The mean share over layers; None without a matrix that is small enough."""
    matrices = [w.detach().float().flatten(1) for w in network.parameters() if w.dim() > 1]
    fitting = [matrix for matrix in matrices if 8 <= min(matrix.shape) <= _LARGEST]
    if not fitting:
        return None
    chosen = [fitting[i * len(fitting) // min(_MATRICES, len(fitting))] for i in range(min(_MATRICES, len(fitting)))]
    return torch.stack([_small_values(matrix) for matrix in chosen]).mean()


def _small_values(matrix: Tensor) -> Tensor:
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    squares = torch.linalg.eigvalsh(wide @ wide.T)
    small: Tensor = squares < _SMALL**2 * squares[-1]
    return small.float().mean()


def dead_units(subject: Subject) -> dict[str, Tensor]:
    """The largest share of constant units among the inputs of a layer, of G and of D."""
    game, found = subject.game, {}
    if game is None or subject.live is None:
        return {}
    rows = slice(0, subject.recipe.batch)
    c = None if subject.real.c is None else subject.real.c[rows]
    inputs = {"G": subject.z[rows], "D": subject.real.x[rows]}
    for player in (game.G, game.D):
        if player.parameters:
            ranges: Ranges = {}
            with _watched(player.network, ranges):
                subject.in_batches(_scored(player.network), inputs[player.name], c)
            inner = [*ranges.values()][1:]  # the first are those of the samples, or latents
            whole = [everyone([torch.cat(parts)])[0] for parts in inner]
            shares = [(one[:, 1].amax(0) == one[:, 0].amin(0)).float().mean() for one in whole]
            if shares:
                found[f"dead_{player.name}"] = torch.stack(shares).amax()
    return found


def _scored(network: nn.Module) -> Callable[..., Tensor]:
    return lambda *inputs: Judgement.of(network(*inputs)).score


@contextmanager
def _watched(network: nn.Module, ranges: Ranges) -> Iterator[None]:
    """Collect the least and largest value `(1, 2, units)` in each input of each layer with a matrix or kernel."""
    handles = [layer.register_forward_pre_hook(_collector(ranges)) for layer in network.modules() if _has_kernel(layer)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _has_kernel(layer: nn.Module) -> bool:
    return isinstance(layer, SpectralNorm) or any(weight.dim() > 1 for weight in layer.parameters(recurse=False))


def _collector(ranges: Ranges) -> Callable[[nn.Module, Any], None]:
    def collect(layer: nn.Module, inputs: Any) -> None:
        x = inputs[0] if inputs else None
        if isinstance(x, Tensor) and x.is_floating_point() and x.dim() > 1 and len(x) > 1:
            rows = x.movedim(1, -1).flatten(0, -2) if x.dim() == 4 else x.flatten(0, -2)
            ranges.setdefault(layer, []).append(torch.stack([rows.amin(0), rows.amax(0)])[None].float())

    return collect
