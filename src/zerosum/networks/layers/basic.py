"""Activations and norms by name, and checks that all network families share."""

__all__ = ()

from collections.abc import Iterator
from typing import Literal

from torch import Tensor, nn

from zerosum.conditions.condition import Condition
from zerosum.networks.conditioning import Concatenate, ConditionalNorm, Head, Join, Style
from zerosum.networks.layers.conditional import ConditionalBatchNorm
from zerosum.networks.layers.virtual import VirtualBatchNorm

Norm = Literal["batch", "layer", "instance", "virtual", "spectral", "spectral_batch", "none"]
VectorNorm = Literal["batch", "layer", "spectral", "spectral_batch", "none"]
Activation = Literal["relu", "leaky", "tanh", "silu"]


def activation(name: Activation) -> nn.Module:
    """The named activation; `leaky` has DCGAN's negative slope 0.2."""
    made: dict[str, nn.Module] = {
        "relu": nn.ReLU(inplace=True),
        "leaky": nn.LeakyReLU(0.2, inplace=True),
        "tanh": nn.Tanh(),
        "silu": nn.SiLU(inplace=True),
    }
    if name not in made:
        raise ValueError(f"no activation is called {name!r}; there are {', '.join(made)}")
    return made[name]


class _InstanceNorm(nn.GroupNorm):
    """Group norm on contiguous maps: on a CPU that of maps in channels last takes up to 25 times as long."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  the name of the base class
        return super().forward(input.contiguous())


def norm2d(name: Norm, channels: int, condition: Condition | None = None) -> nn.Module:
    """The named norm over maps of `channels` channels; batch norm is conditional if a condition is given.

    `spectral` is a norm of the weights, see `layers/spectral.py`, and leaves the maps as they are.
    """
    if name in ("batch", "spectral_batch"):
        return nn.BatchNorm2d(channels) if condition is None else ConditionalBatchNorm(channels, condition)
    if name == "layer":
        return nn.GroupNorm(1, channels)
    if name == "instance":
        return _InstanceNorm(channels, channels)
    if name == "virtual":
        return VirtualBatchNorm(channels)
    if name in ("spectral", "none"):
        return nn.Identity()
    raise ValueError(
        f"no norm is called {name!r}; there are batch, layer, instance, virtual, spectral, spectral_batch, none"
    )


def norm1d(name: VectorNorm, units: int) -> nn.Module:
    """The named norm over vectors of `units` dimensions."""
    if name in ("batch", "spectral_batch"):
        return nn.BatchNorm1d(units)
    if name == "layer":
        return nn.LayerNorm(units)
    if name in ("spectral", "none"):
        return nn.Identity()
    raise ValueError(f"no norm of vectors is called {name!r}; there are batch, layer, spectral, spectral_batch, none")


def check_size(size: int) -> None:
    """Raise `ValueError` unless `size`, the width of a network, is a positive number of channels or units."""
    if size < 1:
        raise ValueError(f"size is a number of channels or units, at least 1; found {size}")


def check_conditioning(conditioning: Concatenate | ConditionalNorm | Style, norm: Norm) -> None:
    """Raise `ValueError` where condition or style should set the scales of batch norms and there are none."""
    if isinstance(conditioning, ConditionalNorm | Style) and norm not in ("batch", "spectral_batch"):
        raise ValueError(f"a conditional norm is a batch norm: norm is 'batch' or 'spectral_batch'; found {norm!r}")


def layers_of(network: nn.Module) -> Iterator[nn.Module]:
    """All modules within a network, in order, but for those that embed a condition, which begin in their own way."""
    kept: tuple[str, ...] = ("embedding",) if isinstance(network, Join | Head) else ()
    kept = ("scale", "offset") if isinstance(network, ConditionalBatchNorm) else kept
    for name, child in network.named_children():
        if name not in kept:
            yield child
            yield from layers_of(child)
