"""Power iteration of torch's own spectral norms."""

__all__ = ()

from collections.abc import Callable, Iterator
from functools import partial

from torch import nn
from torch.nn.utils.parametrizations import _SpectralNorm
from torch.nn.utils.parametrize import ParametrizationList
from torch.nn.utils.spectral_norm import SpectralNorm


def spectral_steps(module: nn.Module) -> Iterator[Callable[[], object]]:
    """Of each weight under torch's spectral norm, old or new, a function that makes one step of its power iteration.

    Means of singular vectors are shorter than 1, so they would give too small a singular value.
    """
    for layer in module.modules():
        for hook in layer._forward_pre_hooks.values():
            if isinstance(hook, SpectralNorm):
                yield partial(hook.compute_weight, layer, do_power_iteration=True)
        if isinstance(layer, ParametrizationList) and any(isinstance(one, _SpectralNorm) for one in layer):
            yield partial(_in_training, layer)


def _in_training(layer: nn.Module) -> None:
    layer.train()
    layer()
    layer.eval()
