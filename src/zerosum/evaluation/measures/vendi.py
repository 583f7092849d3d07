"""The Vendi score of the generated samples."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import ClassVar

from zerosum.evaluation.measure import GROUPED, HIGHER, MeasureInput, Needs, Score, ScoreInfo
from zerosum.metrics.vendi import vendi_score


@dataclass(frozen=True)
class Vendi:
    """Effective number of distinct generated samples (Vendi score): diversity without a reference set.

    Friedman and Dieng 2023 (arXiv 2210.02410): `vendi_score`, of cosine similarities of features.

    Args:
        order: q of the score; smaller values give rare kinds of samples more weight.
    """

    name: ClassVar[str] = "vendi"
    needs: ClassVar[Needs] = Needs(fake=frozenset({"features"}))
    gives: ClassVar[Mapping[str, ScoreInfo]] = MappingProxyType(
        {
            "vendi": ScoreInfo(
                HIGHER,
                "Vendi score, the effective number of distinct samples in FAKE; grows with the sample size.",
                "sampling of the generated set",
            )
        }
    )

    order: float = 1.0

    @property
    def how(self) -> str:
        """The kernel, the order, and the kind of error."""
        return f"cosine similarity, order {self.order:g}; {GROUPED}"

    def __call__(self, inputs: MeasureInput) -> Mapping[str, Score]:
        """The score."""
        fake = inputs.fake.features
        assert fake is not None
        return {"vendi": inputs.score(partial(vendi_score, order=self.order), fake)}
