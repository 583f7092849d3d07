"""Precision and recall, density and coverage."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from zerosum.evaluation.measure import GROUPED, HIGHER, MeasureInput, Needs, Score, ScoreInfo
from zerosum.metrics.neighbours import density_coverage, precision_recall

_ERROR = "sampling of the generated set, with REAL fixed"


@dataclass(frozen=True)
class PRDC:
    """Precision and recall, density and coverage, by nearest neighbours.

    Kynkaanniemi et al. 2019 (arXiv 1904.06991) and Naeem et al. 2020 (arXiv 2002.09797): `precision_recall` and
    `density_coverage`.

    Args:
        k: number of neighbours for precision and recall; 3 as in the paper.
        balls: number of neighbours for density and coverage; 5 as in the paper.
    """

    name: ClassVar[str] = "prdc"
    needs: ClassVar[Needs] = Needs.both("features")
    gives: ClassVar[Mapping[str, ScoreInfo]] = MappingProxyType(
        {
            "precision": ScoreInfo(
                HIGHER,
                "Share of generated samples within the manifold of real ones (k = 3).",
                _ERROR,
            ),
            "recall": ScoreInfo(
                HIGHER,
                "Share of real samples within the manifold of generated ones (k = 3).",
                _ERROR,
            ),
            "density": ScoreInfo(HIGHER, "Density of real samples around generated ones (k = 5).", _ERROR),
            "coverage": ScoreInfo(
                HIGHER,
                "Share of real samples with a generated one in their neighbourhood (k = 5).",
                _ERROR,
            ),
        }
    )

    k: int = 3
    balls: int = 5

    @property
    def how(self) -> str:
        """The numbers of neighbours and the kind of error."""
        each = f"k = {self.k} for precision and recall, {self.balls} for density and coverage"
        return f"{each}; errors over generated samples, of recall and coverage {GROUPED.removeprefix('error ')}"

    def __call__(self, inputs: MeasureInput) -> Mapping[str, Score]:
        """The four scores."""
        real, fake = inputs.features
        one, two = precision_recall(real, fake, self.k), density_coverage(real, fake, self.balls)
        return {
            "precision": Score(one.precision, one.precision_error),
            "recall": Score(one.recall, one.recall_error),
            "density": Score(two.density, two.density_error),
            "coverage": Score(two.coverage, two.coverage_error),
        }
