"""FID without its bias: extrapolated to infinitely many samples."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from zerosum.evaluation.measure import LOWER, Needs, Score, ScoreInfo, Sides
from zerosum.metrics.frechet import frechet_infinity


@dataclass(frozen=True)
class FIDInfinity:
    """FID extrapolated to infinitely many samples, without the bias of few.

    Chong and Forsyth 2020 (arXiv 1911.07023): `frechet_infinity`.
    """

    name: ClassVar[str] = "fid-infinity"
    needs: ClassVar[Needs] = Needs.both("features")
    gives: ClassVar[Mapping[str, ScoreInfo]] = MappingProxyType(
        {"fid-infinity": ScoreInfo(LOWER, "FID extrapolated to infinitely many samples.", "other draws of both sets")}
    )
    how: ClassVar[str] = "line over 1/N through whole, halves and thirds; error from the spread between these"

    def __call__(self, sides: Sides) -> Mapping[str, Score]:
        """The distance."""
        found = frechet_infinity(*sides.features, seed=sides.seed)
        return {"fid-infinity": Score(found.value, found.standard_error)}
