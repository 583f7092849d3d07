"""FID without its bias: extrapolated to infinitely many samples."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from zerosum.evaluation.measure import LOWER, MeasureInput, Needs, Score, ScoreInfo
from zerosum.metrics.frechet import frechet_infinity


@dataclass(frozen=True)
class FIDInfinity:
    """FID extrapolated to infinitely many samples, without the bias of few.

    Chong and Forsyth 2020 (arXiv 1911.07023): `frechet_infinity`.
    """

    name: ClassVar[str] = "fid-infinity"
    needs: ClassVar[Needs] = Needs.both("features")
    gives: ClassVar[Mapping[str, ScoreInfo]] = MappingProxyType(
        {"fid-infinity": ScoreInfo(LOWER, "FID extrapolated to infinitely many samples.", "sampling of both sets")}
    )
    how: ClassVar[str] = "line over 1/N through whole, halves and thirds; error from the spread between these"

    def __call__(self, inputs: MeasureInput) -> Mapping[str, Score]:
        """The distance."""
        found = frechet_infinity(*inputs.features, seed=inputs.seed)
        return {"fid-infinity": Score(found.value, found.standard_error)}
