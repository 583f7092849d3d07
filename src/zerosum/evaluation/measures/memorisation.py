"""A test for memorisation of the training set."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from zerosum.evaluation.gathered import Need
from zerosum.evaluation.measure import LOWER, MeasureInput, Needs, Score, ScoreInfo
from zerosum.metrics.neighbours import nearest_neighbours

_FEATURES: frozenset[Need] = frozenset({"features"})


@dataclass(frozen=True)
class MemorisationTest:
    """Whether samples are nearer to the training set, REAL, than held-out samples are: far below 0 for copies.

    Meehan, Chaudhuri and Dasgupta 2020 (arXiv 2004.05675): `nearest_neighbours`.

    Args:
        pairs: how many nearest pairs of a generated and a real sample are returned, to be displayed.
    """

    name: ClassVar[str] = "memorisation"
    needs: ClassVar[Needs] = Needs(_FEATURES, _FEATURES, _FEATURES)
    gives: ClassVar[Mapping[str, ScoreInfo]] = MappingProxyType(
        {
            "memorisation": ScoreInfo(
                "",
                "C_T: are samples nearer to REAL than `--held-out` is? Far below 0 for copies.",
                "1: standard normal if nothing is memorised",
                LOWER,
            ),
            "memorisation-closer": ScoreInfo("", "Probability that a sample is nearer to REAL than a held-out one."),
            "memorisation-p": ScoreInfo("", "p-value: probability of a C_T at most this low if nothing is memorised."),
        }
    )
    how: ClassVar[str] = "C_T over one cell, its error 1 if nothing is memorised"

    pairs: int = 12

    def __call__(self, inputs: MeasureInput) -> Mapping[str, Score]:
        """The statistic, its components, and the nearest pairs."""
        train, samples = inputs.features
        assert inputs.held_out is not None and inputs.held_out.features is not None
        found = nearest_neighbours(samples, train, inputs.held_out.features)
        return {
            "memorisation": Score(found.statistic, 1.0, found.pairs(self.pairs)),
            "memorisation-closer": Score(found.closer),
            "memorisation-p": Score(found.p_value),
        }
