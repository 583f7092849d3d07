"""A generator whose norms follow a style."""

__all__ = ()

from dataclasses import replace
from typing import Any

from torch import Tensor, nn

from zerosum.conditions.components import Vector
from zerosum.conditions.condition import Condition
from zerosum.networks.conditioning import ConditionalNorm, Join


class _Styled(nn.Module):
    def __init__(self, join: Join, mapping: nn.Module, body: nn.Module) -> None:
        super().__init__()
        self.join, self.mapping, self.body = join, mapping, body

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        x: Tensor = self.body(z, self.mapping(self.join(z, c)))
        return x


def styled(spec: Any, size: int, latent: int, shape: tuple[int, ...], condition: Condition | None) -> nn.Module:
    """`G(z[, c])`: a generator with conditional norms, whose condition is a style `(B, size)` made of z and c.

    Args:
        spec: the generator's, of a family that knows `ConditionalNorm`.
        size: dimensions of the style, and of the embedding of the condition.
        latent: dimensions of z.
        shape: of a sample.
        condition: what c is; None for a style of z alone.
    """
    join = Join(condition, size)
    mapping = nn.Sequential(
        nn.Linear(latent + join.size, size), nn.LeakyReLU(0.2), nn.Linear(size, size), nn.LeakyReLU(0.2)
    )
    for layer in mapping:
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight, a=0.2)
            nn.init.zeros_(layer.bias)
    body = replace(spec, conditioning=ConditionalNorm()).build(latent, shape, Vector(size))
    return _Styled(join, mapping, body)
