"""FID class by class."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import torch
from torch import Tensor

from zerosum.evaluation.groups_of_samples import GROUPS
from zerosum.evaluation.measure import GROUPED, LOWER, Needs, Score, ScoreInfo, Sides
from zerosum.metrics.frechet import intra_class_frechet


@dataclass(frozen=True)
class IntraFID:
    """Mean of the Frechet distances within each class.

    Miyato and Koyama 2018 (arXiv 1802.05637): `intra_class_frechet`.
    """

    name: ClassVar[str] = "intra-fid"
    needs: ClassVar[Needs] = Needs.both("features", "labels")
    gives: ClassVar[Mapping[str, ScoreInfo]] = MappingProxyType(
        {
            "intra-fid": ScoreInfo(
                LOWER,
                "Mean of the Frechet distances within each class.",
                "other draws of the generated samples; needs 20 a class",
            )
        }
    )
    how: ClassVar[str] = f"covariances over N - 1; {GROUPED}"

    def __call__(self, sides: Sides) -> Mapping[str, Score]:
        """The mean distance."""
        (real, fake), (those, these) = sides.features, sides.labels

        def distance(some: Tensor, labels: Tensor) -> float:
            return intra_class_frechet(real, those, some, labels).value

        enough = int(torch.bincount(these).min()) >= 2 * GROUPS  # so that no class is lost with a group
        error = sides.jackknife(distance, fake, these) if enough else None
        return {"intra-fid": Score(distance(fake, these), error)}
