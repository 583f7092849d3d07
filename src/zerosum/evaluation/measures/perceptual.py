"""The perceptual distance of pairs."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import ClassVar

import torch
from torch import Tensor

from zerosum.evaluation.measure import LOWER, MeasureInput, Needs, Score, ScoreInfo
from zerosum.evaluation.measures._pairs import ERROR, PAIRS, mean_of_pairs
from zerosum.features.extractor import extractor_named
from zerosum.features.perceptual_distance import PerceptualDistance

_AT_ONCE = 32


@dataclass(frozen=True)
class PerceptualScore:
    """Perceptual distance of generated images to the real ones of their conditions: `PerceptualDistance`.

    Args:
        features: feature extractor with maps: `alexnet`, `vgg16`, `random-conv`; not one that trained the generator.
    """

    name: ClassVar[str] = "perceptual"
    needs: ClassVar[Needs] = PAIRS
    gives: ClassVar[Mapping[str, ScoreInfo]] = MappingProxyType(
        {"perceptual": ScoreInfo(LOWER, "Distance of pairs in the feature maps of a network (alexnet).", ERROR)}
    )

    features: str = "alexnet"

    @property
    def how(self) -> str:
        """The extractor."""
        facts = extractor_named(self.features).facts
        return f"mean over pairs; {', '.join(f'{name} {fact}' for name, fact in facts.items())}"

    def __call__(self, inputs: MeasureInput) -> Mapping[str, Score]:
        """The mean over pairs; raises `ValueError` for an extractor without maps, or whose weights are missing."""
        distance = PerceptualDistance(extractor_named(self.features))
        return {"perceptual": mean_of_pairs(inputs, partial(_distances, distance))}


@torch.no_grad()
def _distances(distance: PerceptualDistance, real: Tensor, fake: Tensor) -> Tensor:
    parts = zip(torch.split(real, _AT_ONCE), torch.split(fake, _AT_ONCE), strict=True)
    return torch.cat([distance(one.float() / 127.5 - 1, other.float() / 127.5 - 1) for one, other in parts]).double()
