"""Affine maps of the colours of images."""

import torch
from torch import Tensor

from zerosum.augment._sampling import image_size


def channel_means(x: Tensor) -> Tensor:
    """The mean `(B, C)` of each channel of each image."""
    image_size(x.shape)
    return x.mean((2, 3), dtype=torch.promote_types(x.dtype, torch.float32))


def mixed(x: Tensor, colour: Tensor) -> Tensor:
    """Images `(B, C, H, W)`, the colour of each pixel transformed by its sample's map `(B, C, C + 1)`."""
    with torch.autocast(x.device.type, enabled=False):
        dtype = torch.promote_types(x.dtype, colour.dtype)
        colour = colour.to(dtype)
        return (colour[:, :, :-1] @ x.to(dtype).flatten(2) + colour[:, :, -1:]).view(x.shape)
