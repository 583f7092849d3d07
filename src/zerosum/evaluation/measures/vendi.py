"""The Vendi score of the generated samples."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from torch import Tensor

from zerosum.evaluation.measure import GROUPED, HIGHER, Needs, Score, ScoreInfo, Sides
from zerosum.metrics.vendi import vendi_score


@dataclass(frozen=True)
class Vendi:
    """Effective number of different samples among the generated ones (Vendi score): diversity without a reference.

    Friedman and Dieng 2023 (arXiv 2210.02410): `vendi_score`, of cosine similarities of features.

    Args:
        order: q of the score; small ones weigh rare kinds of samples more.
    """

    name: ClassVar[str] = "vendi"
    needs: ClassVar[Needs] = Needs(fake=frozenset({"features"}))
    gives: ClassVar[Mapping[str, ScoreInfo]] = MappingProxyType(
        {
            "vendi": ScoreInfo(
                HIGHER,
                "Vendi score, the effective number of different samples in FAKE; it grows with their number.",
                "other draws of the generated samples",
            )
        }
    )

    order: float = 1.0

    @property
    def how(self) -> str:
        """The kernel, the order, and how the error is made."""
        return f"cosine similarity, order {self.order:g}; {GROUPED}"

    def __call__(self, sides: Sides) -> Mapping[str, Score]:
        """The score."""
        fake = sides.fake.features
        assert fake is not None

        def score(some: Tensor) -> float:
            return vendi_score(some, self.order)

        return {"vendi": Score(score(fake), sides.jackknife(score, fake))}
