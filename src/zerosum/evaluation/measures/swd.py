"""The sliced Wasserstein distance of features."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import ClassVar

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
        distance = partial(sliced_wasserstein, real, directions=self.directions, seed=inputs.seed)
        return {"swd": inputs.score(distance, fake)}
