"""The sliced Wasserstein distance of features."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from torch import Tensor

from zerosum.evaluation.measure import GROUPED, LOWER, MeasureInput, Needs, Score, ScoreInfo
from zerosum.metrics.wasserstein import sliced_wasserstein


@dataclass(frozen=True)
class SWD:
    """Sliced Wasserstein distance of the features (random directions).

    Bonneel et al. 2015: `sliced_wasserstein`, of order 2.

    Args:
        directions: number of random directions.
    """

    name: ClassVar[str] = "swd"
    needs: ClassVar[Needs] = Needs.both("features")
    gives: ClassVar[Mapping[str, ScoreInfo]] = MappingProxyType(
        {
            "swd": ScoreInfo(
                LOWER,
                "Sliced Wasserstein distance of the features (random directions).",
                "sampling of the generated set, with REAL fixed",
            )
        }
    )

    directions: int = 500

    @property
    def how(self) -> str:
        """The number of directions, the order, and the kind of error."""
        return f"{self.directions} seeded directions, order 2; {GROUPED}"

    def __call__(self, inputs: MeasureInput) -> Mapping[str, Score]:
        """The distance."""
        real, fake = inputs.features

        def distance(some: Tensor) -> float:
            return sliced_wasserstein(real, some, self.directions, seed=inputs.seed)

        return {"swd": Score(distance(fake), inputs.jackknife(distance, fake))}
