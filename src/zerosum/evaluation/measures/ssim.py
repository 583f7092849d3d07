"""The structural similarity of pairs, at one and at five scales."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from zerosum.evaluation.measure import HIGHER, MeasureInput, Needs, Score, ScoreInfo
from zerosum.evaluation.measures._pairs import ERROR, PAIRS, mean_of_pairs
from zerosum.metrics.image_similarity import ms_ssim, ssim


@dataclass(frozen=True)
class SSIM:
    """Structural similarity of generated images and the real ones of their conditions: Wang et al. 2004.

    Args:
        border: pixels that are left out at each edge.
    """

    name: ClassVar[str] = "ssim"
    needs: ClassVar[Needs] = PAIRS
    gives: ClassVar[Mapping[str, ScoreInfo]] = MappingProxyType(
        {"ssim": ScoreInfo(HIGHER, "Structural similarity of pairs, at most 1.", ERROR)}
    )

    border: int = 0

    @property
    def how(self) -> str:
        """The window and the border."""
        return f"Gaussian window 11, sigma 1.5, mean over channels and pairs, border {self.border}"

    def __call__(self, inputs: MeasureInput) -> Mapping[str, Score]:
        """The mean over pairs."""
        return {"ssim": mean_of_pairs(inputs, lambda real, fake: ssim(fake, real, border=self.border))}


@dataclass(frozen=True)
class MSSSIM:
    """Multi-scale structural similarity of pairs, for images of 161x161 and more: Wang et al. 2003."""

    name: ClassVar[str] = "ms-ssim"
    needs: ClassVar[Needs] = PAIRS
    gives: ClassVar[Mapping[str, ScoreInfo]] = MappingProxyType(
        {"ms_ssim": ScoreInfo(HIGHER, "Structural similarity of pairs at five scales, at most 1.", ERROR)}
    )
    how: ClassVar[str] = "the five published weights, mean over channels and pairs"

    def __call__(self, inputs: MeasureInput) -> Mapping[str, Score]:
        """The mean over pairs."""
        return {"ms_ssim": mean_of_pairs(inputs, lambda real, fake: ms_ssim(fake, real))}
