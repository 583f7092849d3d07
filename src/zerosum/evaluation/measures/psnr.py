"""The peak signal-to-noise ratio of pairs."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from zerosum.evaluation.measure import HIGHER, MeasureInput, Needs, Score, ScoreInfo
from zerosum.evaluation.measures._pairs import ERROR, MOST, PAIRS, mean_of_pairs
from zerosum.metrics.image_similarity import psnr


@dataclass(frozen=True)
class PSNR:
    """Peak signal-to-noise ratio of generated images against the real ones of their conditions, in dB.

    The mean over pairs; equal images count as 58.9 dB, the noise of rounding to 8 bits.

    Args:
        border: pixels that are left out at each edge.
    """

    name: ClassVar[str] = "psnr"
    needs: ClassVar[Needs] = PAIRS
    gives: ClassVar[Mapping[str, ScoreInfo]] = MappingProxyType(
        {"psnr": ScoreInfo(HIGHER, "Peak signal-to-noise ratio of pairs in dB; blur scores high.", ERROR)}
    )

    border: int = 0

    @property
    def how(self) -> str:
        """The border."""
        return f"mean over pairs, all channels, border {self.border}"

    def __call__(self, inputs: MeasureInput) -> Mapping[str, Score]:
        """The mean over pairs."""
        return {"psnr": mean_of_pairs(inputs, lambda real, fake: psnr(fake, real, border=self.border).clamp(max=MOST))}
