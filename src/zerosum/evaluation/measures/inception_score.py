"""The inception score."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from zerosum.evaluation.measure import HIGHER, MeasureInput, Needs, Score, ScoreInfo
from zerosum.metrics.jackknife import GROUPS
from zerosum.metrics.logits import inception_score


@dataclass(frozen=True)
class IS:
    """Inception score of the generated samples alone: confident predictions and a uniform class distribution.

    Salimans et al. 2016 (arXiv 1606.03498): `inception_score`. It needs features with class logits.
    """

    name: ClassVar[str] = "is"
    needs: ClassVar[Needs] = Needs(fake=frozenset({"logits"}))
    gives: ClassVar[Mapping[str, ScoreInfo]] = MappingProxyType(
        {"is": ScoreInfo(HIGHER, "Inception score, of FAKE alone.", "sampling of the generated set")}
    )
    how: ClassVar[str] = f"one split; error by leaving out each of {GROUPS} groups"

    def __call__(self, inputs: MeasureInput) -> Mapping[str, Score]:
        """The score."""
        logits = inputs.fake.logits
        assert logits is not None
        return {"is": inputs.score(lambda some: inception_score(some).value, logits)}
