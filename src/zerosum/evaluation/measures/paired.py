"""Scores of pairs: generated images against the real images of their conditions."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import torch
from torch import Tensor

from zerosum.evaluation.measure import HIGHER, LOWER, MeasureInput, Needs, Score, ScoreInfo
from zerosum.metrics.image_similarity import gradient_energy, ms_ssim, psnr, ssim

_PAIRS = Needs.both("pairs")
_ERROR = "sampling of the pairs"
_MOST = 10 * math.log10(12 * 255**2)  # dB: equal images are as close as rounding to 8 bits tells


@dataclass(frozen=True)
class PSNR:
    """Peak signal-to-noise ratio of generated images against the real ones of their conditions, in dB.

    The mean over pairs; equal images count as 58.9 dB, the noise of rounding to 8 bits.

    Args:
        border: pixels that are left out at each edge.
    """

    name: ClassVar[str] = "psnr"
    needs: ClassVar[Needs] = _PAIRS
    gives: ClassVar[Mapping[str, ScoreInfo]] = MappingProxyType(
        {"psnr": ScoreInfo(HIGHER, "Peak signal-to-noise ratio of pairs in dB; blur scores high.", _ERROR)}
    )

    border: int = 0

    @property
    def how(self) -> str:
        """The border."""
        return f"mean over pairs, all channels, border {self.border}"

    def __call__(self, inputs: MeasureInput) -> Mapping[str, Score]:
        """The mean over pairs."""
        return {"psnr": _mean(inputs, lambda real, fake: psnr(fake, real, border=self.border).clamp(max=_MOST))}


@dataclass(frozen=True)
class SSIM:
    """Structural similarity of generated images and the real ones of their conditions: Wang et al. 2004.

    Args:
        border: pixels that are left out at each edge.
    """

    name: ClassVar[str] = "ssim"
    needs: ClassVar[Needs] = _PAIRS
    gives: ClassVar[Mapping[str, ScoreInfo]] = MappingProxyType(
        {"ssim": ScoreInfo(HIGHER, "Structural similarity of pairs, at most 1.", _ERROR)}
    )

    border: int = 0

    @property
    def how(self) -> str:
        """The window and the border."""
        return f"Gaussian window 11, sigma 1.5, mean over channels and pairs, border {self.border}"

    def __call__(self, inputs: MeasureInput) -> Mapping[str, Score]:
        """The mean over pairs."""
        return {"ssim": _mean(inputs, lambda real, fake: ssim(fake, real, border=self.border))}


@dataclass(frozen=True)
class MSSSIM:
    """Multi-scale structural similarity of pairs, for images of 161x161 and more: Wang et al. 2003."""

    name: ClassVar[str] = "ms-ssim"
    needs: ClassVar[Needs] = _PAIRS
    gives: ClassVar[Mapping[str, ScoreInfo]] = MappingProxyType(
        {"ms_ssim": ScoreInfo(HIGHER, "Structural similarity of pairs at five scales, at most 1.", _ERROR)}
    )
    how: ClassVar[str] = "the five published weights, mean over channels and pairs"

    def __call__(self, inputs: MeasureInput) -> Mapping[str, Score]:
        """The mean over pairs."""
        return {"ms_ssim": _mean(inputs, lambda real, fake: ms_ssim(fake, real))}


@dataclass(frozen=True)
class MAE:
    """Mean absolute difference of generated images and the real ones of their conditions, of values in [0, 1]."""

    name: ClassVar[str] = "mae"
    needs: ClassVar[Needs] = _PAIRS
    gives: ClassVar[Mapping[str, ScoreInfo]] = MappingProxyType(
        {"mae": ScoreInfo(LOWER, "Mean absolute difference of pairs, of values in [0, 1].", _ERROR)}
    )
    how: ClassVar[str] = "mean over pixels, channels and pairs"

    def __call__(self, inputs: MeasureInput) -> Mapping[str, Score]:
        """The mean over pairs."""
        return {"mae": _mean(inputs, _absolute)}


@dataclass(frozen=True)
class Sharpness:
    """Gradient energy of generated images over that of the real ones of their conditions: 1 is as sharp as real.

    The ratio of the sums over all pairs. PSNR rewards blur; this ratio shows it.
    """

    name: ClassVar[str] = "sharpness"
    needs: ClassVar[Needs] = _PAIRS
    gives: ClassVar[Mapping[str, ScoreInfo]] = MappingProxyType(
        {"sharpness": ScoreInfo("", "Gradient energy of generated over real images, 1 if as sharp.", _ERROR, LOWER)}
    )
    how: ClassVar[str] = "ratio of the sums over pairs of squared differences of neighbours"

    def __call__(self, inputs: MeasureInput) -> Mapping[str, Score]:
        """The ratio."""
        real, fake = (gradient_energy(_channels_first(images)) for images in inputs.pairs)

        def ratio(of_real: Tensor, of_fake: Tensor) -> float:
            return float(of_fake.sum() / of_real.sum())

        return {"sharpness": inputs.score(ratio, real, fake)}


def _mean(inputs: MeasureInput, compare: Callable[[Tensor, Tensor], Tensor]) -> Score:
    """The mean of a comparison of each pair, `(N,)`, with its standard error."""
    real, fake = map(_channels_first, inputs.pairs)
    values = compare(real, fake)
    error = float(values.std() / math.sqrt(len(values))) if inputs.errors and len(values) > 1 else None
    return Score(float(values.mean()), error)


def _absolute(real: Tensor, fake: Tensor) -> Tensor:
    differences = [(one.short() - other.short()).abs().double().mean() for one, other in zip(real, fake, strict=True)]
    return torch.stack(differences) / 255


def _channels_first(images: Tensor) -> Tensor:
    return images.permute(0, 3, 1, 2)
