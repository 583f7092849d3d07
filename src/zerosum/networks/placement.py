"""Networks as a game holds them: on a device, and the same on every rank."""

import torch
from torch import nn

from zerosum.game.distributed import same_start
from zerosum.networks.batch_norms import share_batch_norms


def place(network: nn.Module, device: torch.device, images: bool) -> None:
    """Move a network to a device, in place, and give it the weights of rank 0 and batch norms over all ranks.

    For images the weights of its two-dimensional convolutions are laid out channels last.
    """
    network.to(device)
    if images:
        for tensor in [*network.parameters(), *network.buffers()]:
            if tensor.dim() == 4:  # `Module.to` would fail at the five dimensions of a Conv3d
                tensor.data = tensor.data.to(memory_format=torch.channels_last)
    share_batch_norms(network)
    same_start([*network.parameters(), *network.buffers()])
