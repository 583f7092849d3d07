"""A test for copies of the training set."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from zerosum.evaluation.gathered import Need
from zerosum.evaluation.measure import LOWER, Needs, Score, ScoreInfo, Sides
from zerosum.metrics.neighbours import nearest_neighbours

_FEATURES: frozenset[Need] = frozenset({"features"})


@dataclass(frozen=True)
class MemorisationTest:
    """Whether samples lie nearer to the training set, REAL, than held-out samples do: far below 0 for copies.

    Meehan, Chaudhuri and Dasgupta 2020 (arXiv 2004.05675): `nearest_neighbours`.

    Args:
        shown: of the nearest pairs of a sample and a real one, how many come with the score for an image.
    """

    name: ClassVar[str] = "memorisation"
    needs: ClassVar[Needs] = Needs(_FEATURES, _FEATURES, _FEATURES)
    gives: ClassVar[Mapping[str, ScoreInfo]] = MappingProxyType(
        {
            "memorisation": ScoreInfo(
                "",
                "C_T: are samples nearer to REAL than `--held-out` is? Far below 0 for copies.",
                "1: it is a standard normal number where nothing is memorised",
                LOWER,
            ),
            "memorisation-closer": ScoreInfo("", "Probability that a sample lies nearer than a held-out one."),
            "memorisation-p": ScoreInfo("", "Probability of so low a C_T where nothing is copied."),
        }
    )
    how: ClassVar[str] = "C_T over one cell, its error 1 where nothing is memorised"

    shown: int = 12

    def __call__(self, sides: Sides) -> Mapping[str, Score]:
        """The statistic, what it is made from, and the nearest pairs."""
        train, samples = sides.features
        assert sides.held_out is not None and sides.held_out.features is not None
        found = nearest_neighbours(samples, train, sides.held_out.features)
        return {
            "memorisation": Score(found.statistic, 1.0, found.pairs(self.shown)),
            "memorisation-closer": Score(found.closer),
            "memorisation-p": Score(found.p_value),
        }
