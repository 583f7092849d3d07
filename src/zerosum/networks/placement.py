"""Networks as a game holds them: on a device, and the same on every rank."""

import torch
from torch import nn

from zerosum.game.distributed import same_start
from zerosum.networks.batch_norms import share_batch_norms


def place(network: nn.Module, device: torch.device, images: bool) -> None:
    """Move a network to a device, in place, and give it the weights of rank 0 and batch norms over all ranks.

    For images its weights are laid out channels last.
    """
    network.to(device)
    if images:
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
    share_batch_norms(network)
    same_start([*network.parameters(), *network.buffers()])
