"""KID: the kernel distance of features."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from zerosum.evaluation.measure import LOWER, MeasureInput, Needs, Score, ScoreInfo
from zerosum.metrics.kernel import kernel_distance


@dataclass(frozen=True)
class KID:
    """Squared MMD of the features under a cubic kernel (KID), unbiased at any N.

    Binkowski et al. 2018 (arXiv 1801.01401): `kernel_distance`.
    """

    name: ClassVar[str] = "kid"
    needs: ClassVar[Needs] = Needs.both("features")
    gives: ClassVar[Mapping[str, ScoreInfo]] = MappingProxyType(
        {
            "kid": ScoreInfo(
                LOWER,
                "Kernel distance of the features; around 0 for samples of the data distribution.",
                "sampling of both sets",
            )
        }
    )
    how: ClassVar[str] = "(x.y / d + 1)^3 over all pairs; error of the U-statistic"

    def __call__(self, inputs: MeasureInput) -> Mapping[str, Score]:
        """The distance."""
        found = kernel_distance(*inputs.features)
        return {"kid": Score(found.value, found.standard_error)}
