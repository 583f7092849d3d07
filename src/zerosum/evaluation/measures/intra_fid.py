"""FID within classes."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import torch
from torch import Tensor

from zerosum.evaluation.measure import GROUPED, LOWER, MeasureInput, Needs, Score, ScoreInfo
from zerosum.metrics.frechet import intra_class_frechet
from zerosum.metrics.jackknife import GROUPS


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
                "sampling of the generated set; needs 20 samples per class",
            )
        }
    )
    how: ClassVar[str] = f"covariances over N - 1; {GROUPED}"

    def __call__(self, inputs: MeasureInput) -> Mapping[str, Score]:
        """The mean distance."""
        (real, fake), (real_labels, fake_labels) = inputs.features, inputs.labels

        def distance(some: Tensor, labels: Tensor) -> float:
            return intra_class_frechet(real, real_labels, some, labels).value

        enough = int(torch.bincount(fake_labels).min()) >= 2 * GROUPS  # otherwise a class could be lost with a group
        rows = (fake, fake_labels)
        return {"intra-fid": inputs.score(distance, *rows) if enough else Score(distance(*rows))}
