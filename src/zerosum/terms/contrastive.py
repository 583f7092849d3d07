"""A contrast of images and conditions: which caption of the batch belongs to which image."""

__all__ = ["Contrastive"]

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import normalize

from zerosum.game.turn import Turn
from zerosum.terms._common import check_weight, required, unlike


@dataclass(frozen=True)
class Contrastive:
    """-weight E [log P(c_i | x_i) + log P(x_i | c_i)] / 2, P by softmax over the batch: XMC-GAN, Zhang et al. 2021.

    The contrast of images and sentences of arXiv 2101.04702, in both directions as in the matching loss of AttnGAN (Xu
    et al. 2018, arXiv 1711.10485): logits are the cosines of D's features of x_i and its embedding of c_j, divided by
    the temperature. It belongs among both players' terms, with a D of `conditioning=Projection()`: D learns from real
    pairs which condition of the batch belongs to which sample, and G generates samples from which D predicts their
    condition. Pairs of a sample and the same condition of another are left out.

    Args:
        weight: weight (>= 0).
        temperature: temperature of the softmax (> 0).
    """

    weight: float = 1.0
    temperature: float = 0.1
    whole_batch: ClassVar[str] = "compares each sample with the conditions of the rest of the batch"

    def __post_init__(self) -> None:
        check_weight("weight", self.weight)
        if not self.temperature > 0:
            raise ValueError(f"Contrastive takes a temperature above 0; found {self.temperature}")

    def __call__(self, turn: Turn) -> Tensor:
        """The term on this turn, a scalar >= 0; raises `ValueError` where D does not embed conditions."""
        judgement = turn.real if turn.player == "D" else turn.fake
        what = "an embedding of the condition (conditioning=Projection(), conditional=True)"
        e = turn.everyone(required(judgement.embedding, what, self).flatten(1))
        f = turn.everyone(required(judgement.features, "features", self).flatten(1))
        if e.shape != f.shape:
            found = f"{f.shape[1]} and {e.shape[1]}"
            raise ValueError(f"Contrastive compares features and embeddings of one size; found {found}")
        assert turn.c is not None
        rivals = unlike(turn.everyone(turn.c)) | torch.eye(len(e), dtype=torch.bool, device=e.device)
        logits = (normalize(f) @ normalize(e).T / self.temperature).masked_fill(~rivals, -torch.inf)
        losses = logits.logsumexp(0) + logits.logsumexp(1) - 2 * logits.diagonal()
        return self.weight * 0.5 * losses.mean()
