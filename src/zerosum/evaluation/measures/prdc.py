"""Precision and recall, density and coverage."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from zerosum.evaluation.measure import HIGHER, Needs, Score, ScoreInfo, Sides, share
from zerosum.metrics.neighbours import density_coverage, precision_recall


@dataclass(frozen=True)
class PRDC:
    """Precision and recall, density and coverage, by nearest neighbours.

    Kynkaanniemi et al. 2019 (arXiv 1904.06991) and Naeem et al. 2020 (arXiv 2002.09797): `precision_recall` and
    `density_coverage`.

    Args:
        k: which neighbour the balls of precision and recall reach to; 3 as in the paper.
        balls: that of density and coverage; 5 as in the paper.
    """

    name: ClassVar[str] = "prdc"
    needs: ClassVar[Needs] = Needs.both("features")
    gives: ClassVar[Mapping[str, ScoreInfo]] = MappingProxyType(
        {
            "precision": ScoreInfo(HIGHER, "Share of samples within the real ones (k = 3).", "binomial, REAL as it is"),
            "recall": ScoreInfo(
                HIGHER, "Share of real samples within the generated ones (k = 3).", "binomial, FAKE as it is"
            ),
            "density": ScoreInfo(HIGHER, "How densely real samples surround generated ones (k = 5)."),
            "coverage": ScoreInfo(
                HIGHER, "Share of real samples with a generated one beside them (k = 5).", "binomial, FAKE as it is"
            ),
        }
    )

    k: int = 3
    balls: int = 5

    @property
    def how(self) -> str:
        """Which neighbours, and how the errors are made."""
        each = f"k = {self.k} for precision and recall, {self.balls} for density and coverage"
        return f"{each}; binomial errors of the shares"

    def __call__(self, sides: Sides) -> Mapping[str, Score]:
        """The four scores."""
        real, fake = sides.features
        n, m = len(real), len(fake)
        one, two = precision_recall(real, fake, self.k), density_coverage(real, fake, self.balls)
        return {
            "precision": share(one.precision, m),
            "recall": share(one.recall, n),
            "density": Score(two.density),
            "coverage": share(two.coverage, n),
        }
