"""What a choice of norm asks of a whole network once it is built."""

__all__ = ()

from collections.abc import Callable

from torch import nn

from zerosum.networks.layers.basic import Norm, VectorNorm
from zerosum.networks.layers.spectral import spectral


def finished(
    network: nn.Module, norm: Norm | VectorNorm, refer: Callable[[nn.Module], nn.Module] | None = None
) -> nn.Module:
    """The network with its weights under spectral norm, or with a reference batch, where its norm is such a one.

    Args:
        network: the network, initialised.
        norm: its norm.
        refer: wraps it with a reference batch, for virtual batch norm.
    """
    if norm in ("spectral", "spectral_batch"):
        spectral(network)
    return refer(network) if norm == "virtual" and refer is not None else network
