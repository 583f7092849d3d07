"""Small choices by name, and initialisation."""

from typing import Literal

from torch import nn

Norm = Literal["batch", "none"]
Activation = Literal["relu", "leaky", "tanh", "silu"]


def activation(name: Activation) -> nn.Module:
    """The named activation; `leaky` has DCGAN's slope 0.2."""
    made: dict[str, nn.Module] = {
        "relu": nn.ReLU(inplace=True),
        "leaky": nn.LeakyReLU(0.2, inplace=True),
        "tanh": nn.Tanh(),
        "silu": nn.SiLU(inplace=True),
    }
    if name not in made:
        raise ValueError(f"no activation is called {name!r}; there are {', '.join(made)}")
    return made[name]


def norm2d(name: Norm, channels: int) -> nn.Module:
    """The named norm over maps of `channels` channels."""
    if name == "batch":
        return nn.BatchNorm2d(channels)
    if name == "none":
        return nn.Identity()
    raise ValueError(f"no norm is called {name!r}; there are batch, none")


def check_size(size: int) -> None:
    """Raise `ValueError` unless `size`, a family's one dial, is a positive number of channels or units."""
    if size < 1:
        raise ValueError(f"size is a number of channels or units, at least 1; found {size}")
