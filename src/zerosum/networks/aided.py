"""A discriminator with a second one beside it: vision-aided GANs, Kumari et al. 2022 (arXiv 2112.09130)."""

from dataclasses import dataclass

from torch import Tensor, nn

from zerosum.conditions.condition import Condition
from zerosum.game.judgement import Judgement
from zerosum.networks.feature_discriminator import FeatureDiscriminator
from zerosum.networks.spec import DiscriminatorSpec


class _Aided(nn.Module):
    def __init__(self, own: nn.Module, aid: nn.Module) -> None:
        super().__init__()
        self.own, self.aid = own, aid

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor | Judgement:
        found: Tensor | Judgement = self.own(x) if c is None else self.own(x, c)
        return found

    def aided(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """The scores of the second discriminator, `(B, ...)`."""
        return Judgement.of(self.aid(x) if c is None else self.aid(x, c)).score


@dataclass(frozen=True)
class Aided:
    """A discriminator with a second one beside it, which the term `VisionAided` trains and uses.

    Its output is that of the first, so objective and other terms are as without the second. Both are one network, of
    one player: one optimiser, one checkpoint.

    Args:
        discriminator: any discriminator, of the pixels.
        aid: the second; in the paper on the features of a network that is not trained further.
    """

    discriminator: DiscriminatorSpec
    aid: DiscriminatorSpec = FeatureDiscriminator()

    def build(self, shape: tuple[int, ...], condition: Condition | None) -> nn.Module:
        """`D(x[, c])`, the output of the first; `D.aided(x[, c])` are the scores of the second."""
        return _Aided(self.discriminator.build(shape, condition), self.aid.build(shape, condition))
