"""The sharpness of generated images relative to the real ones of their conditions."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from torch import Tensor

from zerosum.evaluation.measure import LOWER, MeasureInput, Needs, Score, ScoreInfo
from zerosum.evaluation.measures._pairs import ERROR, PAIRS, channels_first
from zerosum.metrics.image_similarity import gradient_energy


@dataclass(frozen=True)
class Sharpness:
    """Gradient energy of generated images over that of the real ones of their conditions: 1 is as sharp as real.

    The ratio of the sums over all pairs. PSNR rewards blur; this ratio shows it.
    """

    name: ClassVar[str] = "sharpness"
    needs: ClassVar[Needs] = PAIRS
    gives: ClassVar[Mapping[str, ScoreInfo]] = MappingProxyType(
        {"sharpness": ScoreInfo("", "Gradient energy of generated over real images, 1 if as sharp.", ERROR, LOWER)}
    )
    how: ClassVar[str] = "ratio of the sums over pairs of squared differences of neighbours"

    def __call__(self, inputs: MeasureInput) -> Mapping[str, Score]:
        """The ratio."""
        real, fake = (gradient_energy(channels_first(images)) for images in inputs.pairs)

        def ratio(of_real: Tensor, of_fake: Tensor) -> float:
            return float(of_fake.sum() / of_real.sum())

        return {"sharpness": inputs.score(ratio, real, fake)}
