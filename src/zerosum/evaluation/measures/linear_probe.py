"""A linear classifier of real and generated samples."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from zerosum.evaluation.measure import LOWER, MeasureInput, Needs, Score, ScoreInfo
from zerosum.metrics.linear_probe import linear_probe


@dataclass(frozen=True)
class LinearProbeTest:
    """Accuracy of a linear classifier of real and generated samples on the features: 0.5 if it cannot distinguish them.

    Lopez-Paz and Oquab 2017 (arXiv 1610.06545): `linear_probe`. The extractor with the highest accuracy is the one that
    vision-aided GANs give to D (Kumari et al. 2022, arXiv 2112.09130).
    """

    name: ClassVar[str] = "linear-probe"
    needs: ClassVar[Needs] = Needs.both("features")
    gives: ClassVar[Mapping[str, ScoreInfo]] = MappingProxyType(
        {
            "linear-probe": ScoreInfo(
                LOWER,
                "Accuracy of a linear classifier of real and generated samples; 0.5 if it cannot distinguish them.",
                "sampling of the test samples, with the classifiers fixed",
            )
        }
    )
    how: ClassVar[str] = "ridge regression on standardised features, two folds, balanced accuracy"

    def __call__(self, inputs: MeasureInput) -> Mapping[str, Score]:
        """The accuracy."""
        found = linear_probe(*inputs.features)
        return {"linear-probe": Score(found.accuracy, found.standard_error)}
