"""A discriminator that does not see the condition."""

from dataclasses import dataclass

from torch import Tensor, nn

from zerosum.conditions.condition import Condition
from zerosum.game.judgement import Judgement
from zerosum.networks.spec import DiscriminatorSpec


class _Blind(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor | Judgement:
        found: Tensor | Judgement = self.inner(x)
        return found


@dataclass(frozen=True)
class Blind:
    """A discriminator that scores samples without their condition, while G has it: for translation without pairs.

    With unpaired data a sample does not belong to its condition, so D must not compare them.

    Args:
        discriminator: the discriminator, built without a condition.
    """

    discriminator: DiscriminatorSpec

    def build(self, shape: tuple[int, ...], condition: Condition | None) -> nn.Module:
        """`D(x[, c])`: the output of the discriminator for x; c is ignored."""
        return _Blind(self.discriminator.build(shape, None))
