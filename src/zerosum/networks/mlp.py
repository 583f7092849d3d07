"""Multilayer perceptrons (MLPs), for vectors and images of any shape: the networks of Goodfellow et al. 2014."""

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from zerosum.conditions.condition import Condition
from zerosum.game.judgement import Judgement
from zerosum.game.precision import at_least_float32
from zerosum.networks.conditioning import (
    Auxiliary,
    Concatenate,
    Discriminative,
    Head,
    Join,
    Projection,
    check_auxiliary,
    check_embedding,
    check_way,
    entrance,
    predictions,
)
from zerosum.networks.layers.basic import Activation, VectorNorm, activation, check_size, norm1d
from zerosum.networks.layers.finish import finished
from zerosum.networks.minibatch import MinibatchDiscrimination, MinibatchStddev, comparing


def _check_widths(size: int, hidden: tuple[int, ...] | None) -> None:
    check_size(size)
    if hidden is not None and (not hidden or min(hidden) < 1):
        raise ValueError(f"hidden lists the widths of one or more hidden layers; found {hidden}")


def _layers(sizes: tuple[int, ...], act: Activation, dropout: float, norm: VectorNorm) -> nn.Sequential:
    parts: list[nn.Module] = []
    for before, after in pairwise(sizes):
        layer_norm = norm1d(norm, after)
        parts.append(nn.Linear(before, after))
        if not isinstance(layer_norm, nn.Identity):
            parts.append(layer_norm)
        parts.append(activation(act))
        if dropout:
            parts.append(nn.Dropout(dropout))
    return nn.Sequential(*parts)


class _Generator(nn.Module):
    def __init__(self, join: Join, body: nn.Module, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.join, self.body, self.shape = join, body, shape

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        x = at_least_float32(self.body(self.join(z, c)))
        return x.tanh().view(-1, *self.shape) if len(self.shape) > 1 else x


class _Fourier(nn.Module):
    """Beside each vector x, sin and cos of B x with a fixed random B ~ N(0, scale^2)."""

    def __init__(self, size: int, count: int, scale: float) -> None:
        super().__init__()
        self.register_buffer("frequencies", torch.randn(size, count) * scale)
        self.frequencies: Tensor

    def forward(self, x: Tensor) -> Tensor:
        phase = x @ self.frequencies
        return torch.cat([x, phase.sin(), phase.cos()], dim=1)


class _Discriminator(nn.Module):
    def __init__(self, doors: tuple[nn.Module, Join], body: nn.Module, minibatch: nn.Module, head: Head) -> None:
        super().__init__()
        self.entrance, self.join = doors
        self.body, self.minibatch, self.head = body, minibatch, head

    def forward(self, x: Tensor, c: Tensor | None = None) -> Judgement:
        features = self.body(self.join(self.entrance(x.flatten(1)), c))
        return self.head.judge(self.minibatch(features), c, features)


@dataclass(frozen=True)
class MLPGenerator:
    """An MLP from latents to samples: linear output for points, tanh for images in [-1, 1].

    Args:
        size: width of the two hidden layers.
        hidden: widths of the hidden layers, if different; `size` is then ignored.
        activation: `relu`, `leaky`, `tanh` or `silu`.
        norm: norm after each hidden linear layer, `batch` or `layer`; `spectral` for the weights alone,
            `spectral_batch` for the weights and batch norm; or `none`.
        embedding: dimensions of the condition's embedding that a conditional generator appends to z.
    """

    size: int = 256
    hidden: tuple[int, ...] | None = None
    activation: Activation = "relu"
    norm: VectorNorm = "none"
    embedding: int = 16

    def __post_init__(self) -> None:
        _check_widths(self.size, self.hidden)
        check_embedding(self.embedding)

    def build(self, latent: int, shape: tuple[int, ...], condition: Condition | None) -> nn.Module:
        """`G(z[, c])`: z `(B, latent)` to x `(B, *shape)`."""
        join = Join(condition, self.embedding)
        hidden = self.hidden or (self.size, self.size)
        body = _layers((latent + join.size, *hidden), self.activation, 0.0, self.norm)
        body.append(nn.Linear(hidden[-1], math.prod(shape)))
        return finished(_Generator(join, body, shape), self.norm)


@dataclass(frozen=True)
class MLPDiscriminator:
    """An MLP from samples to scores; its last hidden layer is returned as features.

    Args:
        size: width of the two hidden layers.
        hidden: widths of the hidden layers, if different; `size` is then ignored.
        activation: `relu`, `leaky`, `tanh` or `silu`.
        dropout: share of hidden units dropped in training, in [0, 1); the 2014 game used dropout in D.
        fourier: random Fourier features beside the input (Tancik et al. 2020, arXiv 2006.10739), which let a small
            MLP see details much finer than the range of the data; 0 for none.
        fourier_scale: standard deviation of their angular frequencies, in 1 / unit of the data: about the inverse of
            the finest detail.
        conditioning: how the condition enters: `Concatenate`, `Projection`, `Auxiliary` or `Discriminative`.
        norm: norm after each hidden linear layer, see `MLPGenerator`; of them `batch` and `spectral_batch` tie the
            samples of a batch together.
        auxiliary: numbers to predict from the features beside the condition's, as logits.
        minibatch: how samples are compared, `MinibatchDiscrimination` or `MinibatchStddev`, if at all.
    """

    size: int = 256
    hidden: tuple[int, ...] | None = None
    activation: Activation = "leaky"
    dropout: float = 0.0
    fourier: int = 0
    fourier_scale: float = 1.0
    conditioning: Concatenate | Projection | Auxiliary | Discriminative = Projection()
    norm: VectorNorm = "none"
    auxiliary: int = 0
    minibatch: MinibatchDiscrimination | MinibatchStddev | None = None

    def __post_init__(self) -> None:
        _check_widths(self.size, self.hidden)
        check_auxiliary(self.auxiliary)
        check_way(self.conditioning, Concatenate, Projection, Auxiliary, Discriminative)
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout is a share in [0, 1); found {self.dropout}")
        if self.fourier < 0 or not self.fourier_scale > 0:
            raise ValueError(
                f"fourier counts features and fourier_scale is above 0; found {self.fourier} and {self.fourier_scale}"
            )

    def build(self, shape: tuple[int, ...], condition: Condition | None) -> nn.Module:
        """`D(x[, c])`: x `(B, *shape)` to a `Judgement` with scores `(B,)`."""
        join, left = entrance(self.conditioning, condition)
        elements = math.prod(shape)
        encoded = _Fourier(elements, self.fourier, self.fourier_scale) if self.fourier else nn.Identity()
        inputs = elements + 2 * self.fourier + join.size
        hidden = self.hidden or (self.size, self.size)
        body = _layers((inputs, *hidden), self.activation, self.dropout, self.norm)
        minibatch, features = comparing(self.minibatch, hidden[-1], self.norm)
        head = Head(features, left, predictions(self.conditioning, condition, self.auxiliary))
        return finished(_Discriminator((encoded, join), body, minibatch, head), self.norm)


class _Identity(nn.Module):
    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        return x.flatten(1)


@dataclass(frozen=True)
class IdentityDiscriminator:
    """No discriminator: the sample itself is the feature map `(B, d)`, for direct matching with `MMD` (GMMN)."""

    def build(self, shape: tuple[int, ...], condition: Condition | None) -> nn.Module:
        """`D(x[, c]) = x`, flattened. It has no parameters; a condition is refused."""
        if condition is not None:
            raise ValueError("IdentityDiscriminator cannot see labels: set conditional=False")
        return _Identity()
