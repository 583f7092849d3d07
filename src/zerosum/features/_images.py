"""Checks and conversion of images for extractors."""

import torch
from torch import Tensor

from zerosum._arrays import described


def checked(images: Tensor) -> Tensor:
    """Return the images, which must be uint8 `(B, H, W, C)` with one or three channels, B at least 1.

    Raises:
        ValueError: for anything else.
    """
    shape, found = tuple(images.shape), described(images)
    if images.dtype != torch.uint8:
        raise ValueError(f"an extractor reads uint8 images (B, H, W, C), 0 to 255; found {found}")
    if images.dim() != 4:
        raise ValueError(f"an extractor reads a batch of images (B, H, W, C); found {found}")
    if shape[3] not in (1, 3) and shape[1] in (1, 3):
        raise ValueError(f"an extractor reads channels last; found {found}: give images.permute(0, 2, 3, 1)")
    if shape[3] not in (1, 3):
        raise ValueError(f"an extractor reads images of 1 or 3 channels (B, H, W, C); found {found}")
    if images.numel() == 0:
        raise ValueError(f"an extractor reads one image or more; found {found}")
    return images


def without_alpha(images: Tensor) -> Tensor:
    """RGBA images, and grey ones with alpha, uint8 `(B, H, W, C)`, on white; others as they are."""
    if images.dim() != 4 or images.shape[3] not in (2, 4):
        return images
    alpha = images[..., -1:].float() / 255
    return (images[..., :-1] * alpha + 255 * (1 - alpha)).round().byte()


def colours(images: Tensor, device: torch.device) -> Tensor:
    """Checked images as float32 `(B, 3, H, W)` on a device, still 0 to 255; grey ones count as r = g = b."""
    return checked(images).to(device).permute(0, 3, 1, 2).float().expand(-1, 3, -1, -1)
