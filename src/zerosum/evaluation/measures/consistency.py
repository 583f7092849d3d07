"""Whether generated images agree with their conditions."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from zerosum.evaluation.measure import HIGHER, MeasureInput, Needs, Score, ScoreInfo
from zerosum.evaluation.measures._pairs import ERROR, MOST, mean_of
from zerosum.metrics.image_similarity import psnr


@dataclass(frozen=True)
class ConditionConsistency:
    """Peak signal-to-noise ratio of the condition derived from a generated image against the one it was given, in dB.

    For data that derive conditions from images: an enlarged image is shrunk again, a coloured one made grey. Equal
    ones count as 58.9 dB, the noise of rounding to 8 bits.
    """

    name: ClassVar[str] = "consistency"
    needs: ClassVar[Needs] = Needs.both("pairs", "conditions")
    gives: ClassVar[Mapping[str, ScoreInfo]] = MappingProxyType(
        {"consistency": ScoreInfo(HIGHER, "Agreement of generated images with their conditions, PSNR in dB.", ERROR)}
    )
    how: ClassVar[str] = "mean over conditions derived from the pairs, all channels"

    def __call__(self, inputs: MeasureInput) -> Mapping[str, Score]:
        """The mean over conditions."""
        given, derived = inputs.conditions
        return {"consistency": mean_of(psnr(derived, given).clamp(max=MOST), inputs.errors)}
