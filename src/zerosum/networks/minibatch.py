"""How a discriminator compares the samples of a batch, against collapse onto a few."""

__all__ = ["MinibatchDiscrimination", "MinibatchStddev"]

from dataclasses import dataclass

from torch import nn

from zerosum.networks.layers.basic import Norm
from zerosum.networks.layers.minibatch import Apart, GroupStddev, KernelCloseness
from zerosum.networks.layers.virtual import REFERENCE


@dataclass(frozen=True)
class MinibatchDiscrimination:
    """Give D the closeness of each sample to its batch: Salimans et al. 2016 (arXiv 1606.03498), section 3.2.

    A score then depends on the whole batch, or on its group: a gradient penalty constrains the gradient of the sum of
    scores by each sample, and both the appended values and the cost of a sample grow with the number of samples.

    Args:
        kernels: numbers appended to a sample's features; the authors use 100.
        size: dimensions in which each of them compares; the authors use 5.
        group: samples (>= 2) that are compared with each other, as in `MinibatchStddev`; None for all of the batch,
            as the authors do.
    """

    kernels: int = 100
    size: int = 5
    group: int | None = None

    def __post_init__(self) -> None:
        if self.kernels < 1 or self.size < 1:
            raise ValueError(f"kernels and their size are at least 1; found {self.kernels} and {self.size}")
        if self.group is not None and self.group < 2:
            raise ValueError(f"samples are compared in groups of at least 2; found group={self.group}")

    @property
    def added(self) -> int:
        """Numbers appended to a sample's features."""
        return self.kernels

    def build_layer(self, features: int) -> nn.Module:
        """`(B, features)` to `(B, features + added)`."""
        return KernelCloseness(features, self.kernels, self.size, self.group)


@dataclass(frozen=True)
class MinibatchStddev:
    """Give D the standard deviation within a batch: Karras et al. 2018 (arXiv 1710.10196), section 3.

    One number, the mean standard deviation of the features within a group of samples. A score then depends on its
    group.

    Args:
        group: samples of a group (>= 2), as in StyleGAN2; a batch that does not divide has some smaller by one.
    """

    group: int = 4

    def __post_init__(self) -> None:
        if self.group < 2:
            raise ValueError(f"a standard deviation needs groups of at least 2 samples; found group={self.group}")

    @property
    def added(self) -> int:
        """Numbers appended to a sample's features."""
        return 1

    def build_layer(self, features: int) -> nn.Module:
        """`(B, features)` to `(B, features + added)`."""
        return GroupStddev(self.group)


def comparing(
    minibatch: MinibatchDiscrimination | MinibatchStddev | None, features: int, norm: Norm
) -> tuple[nn.Module, int]:
    """The layer after a discriminator's features that compares samples, and its output dimensions."""
    if minibatch is None:
        return nn.Identity(), features
    layer = minibatch.build_layer(features)
    return Apart(layer, REFERENCE) if norm == "virtual" else layer, features + minibatch.added
