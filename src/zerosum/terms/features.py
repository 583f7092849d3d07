"""Terms of G on the features that D returns; they are computed in float32 even under autocast."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import normalize

from zerosum.game.turn import Turn
from zerosum.terms._common import check_player, check_weight, required


@dataclass(frozen=True)
class FeatureMatching:
    """weight |E f(x) - E f(G(z))|^2, f the features that D returns: Salimans et al. 2016, section 3.1.

    arXiv 1606.03498. The means are over the batch, so part of the value is sampling noise, which falls with the batch
    size. In the paper it replaces G's loss; here it is added to it.

    Args:
        weight: weight (>= 0).
    """

    weight: float = 1.0
    whole_batch: ClassVar[str] = "compares the means of the batch's features"

    def __post_init__(self) -> None:
        check_weight("weight", self.weight)

    def __call__(self, turn: Turn) -> Tensor:
        """The distance on this turn, a scalar >= 0; raises `ValueError` where D returns no features."""
        check_player(turn, "G", self)
        fake = required(turn.fake.features, "features", self)
        real = required(turn.real.features, "features", self)
        return self.weight * turn.average(real.mean(0) - fake.mean(0)).square().sum()


@dataclass(frozen=True)
class PullingAway:
    """weight mean over i != j of cos^2(f_i, f_j), f the features of generated samples: Zhao et al. 2017, equation 6.

    The pulling-away term of EBGAN (arXiv 1609.03126): it spreads a batch by making the features of its samples
    orthogonal. The features of each sample are normalised, and the pairs are those within the batch.

    Args:
        weight: weight (>= 0); the paper uses 0.1.
    """

    weight: float = 0.1
    whole_batch: ClassVar[str] = "compares every sample of the batch with every other"

    def __post_init__(self) -> None:
        check_weight("weight", self.weight)

    def __call__(self, turn: Turn) -> Tensor:
        """The mean squared cosine on this turn, in [0, weight]; raises `ValueError` where D returns no features."""
        check_player(turn, "G", self)
        features = turn.everyone(required(turn.fake.features, "features", self).flatten(1))
        n = len(features)
        if n < 2:
            raise ValueError(f"PullingAway compares the samples of a batch and needs at least 2; found {n}")
        directions = normalize(features, dim=1)
        with torch.autocast(features.device.type, enabled=False):
            cosines = directions @ directions.T
        others = 1 - torch.eye(n, dtype=cosines.dtype, device=cosines.device)
        return self.weight * (cosines * others).square().sum() / (n * (n - 1))
