"""Scores of generated texts."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from types import MappingProxyType
from typing import ClassVar

import torch
from torch import Tensor

from zerosum.evaluation.measure import GROUPED, HIGHER, LOWER, MeasureInput, Needs, Score, ScoreInfo
from zerosum.probes.strings import StringScores, string_scores

_ERROR = "sampling of the generated set"


@dataclass(frozen=True)
class StringMeasure:
    """Existing words, novelty and n-grams of generated texts: `string_scores`.

    Args:
        n: characters of an n-gram (>= 1).
    """

    name: ClassVar[str] = "strings"
    needs: ClassVar[Needs] = Needs.both("texts")
    gives: ClassVar[Mapping[str, ScoreInfo]] = MappingProxyType(
        {
            "ngrams": ScoreInfo(LOWER, "Total variation distance of the n-grams of characters, in [0, 1].", _ERROR),
            "words": ScoreInfo(HIGHER, "Share of the generated words that occur in REAL.", _ERROR),
            "novel": ScoreInfo("", "Share of the generated texts that are not in REAL.", _ERROR, LOWER),
            "distinct": ScoreInfo(HIGHER, "Number of different texts in FAKE, as a share of all.", _ERROR),
        }
    )

    n: int = 3

    @property
    def how(self) -> str:
        """The n-grams and the kind of error."""
        return f"n-grams of {self.n} characters; {GROUPED}"

    def __call__(self, inputs: MeasureInput) -> Mapping[str, Score]:
        """The scores."""
        real, fake = inputs.texts

        @cache
        def scored(rows: tuple[int, ...]) -> StringScores:
            return string_scores([fake[row] for row in rows], real, n=self.n)

        def estimate(name: str, rows: Tensor) -> float:
            return float(getattr(scored(tuple(rows.tolist())), name))

        return {name: inputs.score(partial(estimate, name), torch.arange(len(fake))) for name in self.gives}
