"""The likelihood of real samples under the generator, where it has one."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from torch import Tensor

from zerosum.game.turn import Turn
from zerosum.terms._common import check_player, check_weight


@runtime_checkable
class HasLikelihood(Protocol):
    """A generator whose distribution has a likelihood."""

    def log_likelihood(self, x: Tensor) -> Tensor:
        """The log-probability of samples x `(B, ...)`, `(B,)`."""
        ...


@dataclass(frozen=True)
class MaximumLikelihood:
    """-weight E log p_G(x) / L over real texts x of L places: the loss of language models, for pretraining or alone.

    Adversarial training of texts begins from it: SeqGAN, Yu et al. 2017 (arXiv 1609.05473), section 3; RelGAN, Nie et
    al. 2019. With `Recipe.pretrain` it is minimised alone at first.

    Args:
        weight: weight of the term (>= 0).
    """

    weight: float = 1.0

    def __post_init__(self) -> None:
        check_weight("weight", self.weight)

    def __call__(self, turn: Turn) -> Tensor:
        """The term on this turn, a scalar.

        Raises `ValueError` in an update of D, and where G has no likelihood.
        """
        check_player(turn, "G", self)
        if not isinstance(turn.G, HasLikelihood):
            raise ValueError(f"MaximumLikelihood needs a G with a likelihood, as TextGenerator; found {turn.G!r}")
        return -self.weight * turn.G.log_likelihood(turn.x).mean() / turn.x.shape[-1]
