"""Protocols of network specifications: frozen dataclasses that build a module for given data and latent."""

from typing import Protocol

from torch import nn

from zerosum.conditions.condition import Condition


class GeneratorSpec(Protocol):
    """Builds `G(z[, c]) -> x`."""

    def build(self, latent: int, shape: tuple[int, ...], condition: Condition | None) -> nn.Module:
        """A generator of samples of `shape` from `latent` dimensions; conditional if a condition is given."""
        ...


class DiscriminatorSpec(Protocol):
    """Builds `D(x[, c]) -> score or Judgement`."""

    def build(self, shape: tuple[int, ...], condition: Condition | None) -> nn.Module:
        """A discriminator of samples of `shape`; conditional if a condition is given."""
        ...
