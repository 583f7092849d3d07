"""The sliced Wasserstein distance of features."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from torch import Tensor

from zerosum.evaluation.measure import GROUPED, LOWER, Needs, Score, ScoreInfo, Sides
from zerosum.metrics.wasserstein import sliced_wasserstein


@dataclass(frozen=True)
class SWD:
    """Wasserstein distance of the features along random directions.

    Bonneel et al. 2015: `sliced_wasserstein`, of order 2.

    Args:
        directions: how many.
    """

    name: ClassVar[str] = "swd"
    needs: ClassVar[Needs] = Needs.both("features")
    gives: ClassVar[Mapping[str, ScoreInfo]] = MappingProxyType(
        {
            "swd": ScoreInfo(
                LOWER,
                "Wasserstein distance of the features along random directions.",
                "other draws of the generated samples, REAL as it is",
            )
        }
    )

    directions: int = 500

    @property
    def how(self) -> str:
        """The directions, the order, and how the error is made."""
        return f"{self.directions} seeded directions, order 2; {GROUPED}"

    def __call__(self, sides: Sides) -> Mapping[str, Score]:
        """The distance."""
        real, fake = sides.features

        def distance(some: Tensor) -> float:
            return sliced_wasserstein(real, some, self.directions, seed=sides.seed)

        return {"swd": Score(distance(fake), sides.jackknife(distance, fake))}
