"""The absolute difference of pairs."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import torch
from torch import Tensor

from zerosum.evaluation.measure import LOWER, MeasureInput, Needs, Score, ScoreInfo
from zerosum.evaluation.measures._pairs import ERROR, PAIRS, mean_of_pairs


@dataclass(frozen=True)
class MAE:
    """Mean absolute difference of generated images and the real ones of their conditions, of values in [0, 1]."""

    name: ClassVar[str] = "mae"
    needs: ClassVar[Needs] = PAIRS
    gives: ClassVar[Mapping[str, ScoreInfo]] = MappingProxyType(
        {"mae": ScoreInfo(LOWER, "Mean absolute difference of pairs, of values in [0, 1].", ERROR)}
    )
    how: ClassVar[str] = "mean over pixels, channels and pairs"

    def __call__(self, inputs: MeasureInput) -> Mapping[str, Score]:
        """The mean over pairs."""
        return {"mae": mean_of_pairs(inputs, _absolute)}


def _absolute(real: Tensor, fake: Tensor) -> Tensor:
    differences = [(one.short() - other.short()).abs().double().mean() for one, other in zip(real, fake, strict=True)]
    return torch.stack(differences) / 255
