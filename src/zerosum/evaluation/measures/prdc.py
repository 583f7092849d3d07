"""Precision and recall, density and coverage."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from zerosum.evaluation.measure import HIGHER, MeasureInput, Needs, Score, ScoreInfo, share
from zerosum.metrics.neighbours import density_coverage, precision_recall


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
                "binomial, with REAL fixed",
            ),
            "recall": ScoreInfo(
                HIGHER,
                "Share of real samples within the manifold of generated ones (k = 3).",
                "binomial, with FAKE fixed",
            ),
            "density": ScoreInfo(HIGHER, "Density of real samples around generated ones (k = 5)."),
            "coverage": ScoreInfo(
                HIGHER,
                "Share of real samples with a generated one in their neighbourhood (k = 5).",
                "binomial, with FAKE fixed",
            ),
        }
    )

    k: int = 3
    balls: int = 5

    @property
    def how(self) -> str:
        """The numbers of neighbours and the kind of error."""
        each = f"k = {self.k} for precision and recall, {self.balls} for density and coverage"
        return f"{each}; binomial errors of the shares"

    def __call__(self, inputs: MeasureInput) -> Mapping[str, Score]:
        """The four scores."""
        real, fake = inputs.features
        n, m = len(real), len(fake)
        one, two = precision_recall(real, fake, self.k), density_coverage(real, fake, self.balls)
        return {
            "precision": share(one.precision, m),
            "recall": share(one.recall, n),
            "density": Score(two.density),
            "coverage": share(two.coverage, n),
        }
