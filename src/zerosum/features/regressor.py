"""A small network that predicts numbers of images, trained on the user's values: for gradients towards them."""

__all__ = ["Regressor", "train_regressor"]

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from zerosum._arrays import Array, described, tensors
from zerosum.features.classifier import BATCH, HELD_OUT, SEEN, _batches, _scaled, fit, new_network


@dataclass(frozen=True, eq=False)
class Regressor:
    """A trained regressor and how well it predicts held-out images.

    Attributes:
        reader: the network, in evaluation mode.
        shape: shape of an image, `(C, H, W)`.
        mean: of each value over the training images, `(k,)`.
        std: standard deviation of each value over the training images, `(k,)`.
        explained: share of the variance of each value that it explains on held-out images, 1 at best, `(k,)`.
    """

    reader: nn.Module
    shape: tuple[int, ...]
    mean: Tensor
    std: Tensor
    explained: Tensor

    def __call__(self, images: Tensor) -> Tensor:
        """Values `(N, k)` of float images `(N, C, H, W)` in [-1, 1], differentiable.

        Raises `ValueError` for images of another shape.
        """
        if tuple(images.shape[1:]) != self.shape or not images.is_floating_point():
            raise ValueError(f"this regressor reads float images (N, {self.shape}); found {described(images)}")
        standardised: Tensor = self.reader(images.contiguous(memory_format=torch.channels_last))[0]
        return standardised * self.std + self.mean


def train_regressor(images: Array, values: Array, seed: int = 0, seen: int = SEEN, features: int = 128) -> Regressor:
    """Train a regressor on images and values by squared error, and measure it on held-out ones.

    The network and its schedule are those of `train_classifier`, without shifts, which would change the positions of
    what is seen. One image in five is held out. The global random state is unchanged.

    Args:
        images: uint8 `(N, C, H, W)`, ten or more.
        values: numbers `(N, k)`, finite, each with some spread.
        seed: seed of the split, the initial weights and the order.
        seen: training images in total, counted with repetition.
        features: dimensions of the last hidden layer.

    Raises:
        ValueError: for images or values of another kind.
    """
    images, values = tensors(images, values)
    _check(images, values)
    draw = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(images), generator=draw)
    held, rest = order.tensor_split([len(images) // HELD_OUT])
    values = values.float()
    mean, std = values[rest].mean(0), values[rest].std(0)
    if not bool((std > 0).all()):
        raise ValueError("a regressor learns values that differ between images; one of these never changes")
    shape = tuple(images.shape[1:])
    reader = new_network(shape, values.shape[1], seed, features)
    batches = ((images[rows], (values[rows] - mean) / std) for rows in _batches(rest, draw))
    fit(reader, batches, max(seen // BATCH, 2), loss=mse_loss)
    made = Regressor(reader, shape, mean, std, torch.zeros_like(mean))
    with torch.no_grad():
        read = torch.cat([made(_scaled(part)) for part in torch.split(images[held], 500)])
    missed = (read - values[held]).square().mean(0) / values[held].var(0, correction=0).clamp_min(1e-12)
    return Regressor(reader, shape, mean, std, 1 - missed)


def _check(images: Tensor, values: Tensor) -> None:
    if images.dtype != torch.uint8 or images.dim() != 4 or len(images) < 2 * HELD_OUT:
        raise ValueError(f"a regressor learns from ten or more uint8 images (N, C, H, W); found {described(images)}")
    if values.dim() != 2 or len(values) != len(images) or not bool(values.double().isfinite().all()):
        raise ValueError(f"a regressor wants finite values ({len(images)}, k); found {described(values)}")
