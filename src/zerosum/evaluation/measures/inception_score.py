"""The inception score."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from zerosum.evaluation.groups_of_samples import GROUPS
from zerosum.evaluation.measure import HIGHER, Needs, Score, ScoreInfo, Sides
from zerosum.metrics.logits import inception_score


@dataclass(frozen=True)
class IS:
    """Inception score of the generated samples alone: confident predictions, and evenly many of each class.

    Salimans et al. 2016 (arXiv 1606.03498): `inception_score`. It needs features with class logits.
    """

    name: ClassVar[str] = "is"
    needs: ClassVar[Needs] = Needs(fake=frozenset({"logits"}))
    gives: ClassVar[Mapping[str, ScoreInfo]] = MappingProxyType(
        {"is": ScoreInfo(HIGHER, "Inception score, of FAKE alone.", "other draws of the generated samples")}
    )
    how: ClassVar[str] = f"one split; error by leaving out each of {GROUPS} groups"

    def __call__(self, sides: Sides) -> Mapping[str, Score]:
        """The score."""
        logits = sides.fake.logits
        assert logits is not None
        error = sides.jackknife(lambda some: inception_score(some).value, logits)
        return {"is": Score(inception_score(logits).value, error)}
