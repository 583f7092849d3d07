"""FID: Frechet distance of features under a Gaussian assumption."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import ClassVar

from zerosum.evaluation.measure import GROUPED, LOWER, MeasureInput, Needs, Score, ScoreInfo
from zerosum.metrics.frechet import frechet_distance, frechet_distance_from_moments
from zerosum.metrics.jackknife import jackknife


@dataclass(frozen=True)
class FID:
    """Frechet distance of Gaussians fitted to the features (FID); biased upwards for few samples.

    Heusel et al. 2017 (arXiv 1706.08500): `frechet_distance`. It is computed from moments, so memory does not grow
    with the number of samples, or from features if other metrics need these and it is faster.
    """

    name: ClassVar[str] = "fid"
    needs: ClassVar[Needs] = Needs.both("moments")
    gives: ClassVar[Mapping[str, ScoreInfo]] = MappingProxyType(
        {
            "fid": ScoreInfo(
                LOWER,
                "Frechet distance of Gaussians fitted to the features; biased upwards for few samples.",
                "sampling of the generated set, with REAL fixed",
            )
        }
    )
    how: ClassVar[str] = f"covariances over N - 1; {GROUPED}"

    def __call__(self, inputs: MeasureInput) -> Mapping[str, Score]:
        """The distance."""
        real, groups = inputs.real.moments, inputs.fake.group_moments
        first, second = inputs.real.features, inputs.fake.features
        if first is not None and second is not None and (groups is None or _few(len(first), second.shape)):
            return {"fid": inputs.score(partial(frechet_distance, first), second)}
        assert real is not None and groups is not None
        by_moments = partial(frechet_distance_from_moments, real)
        error = jackknife([*map(by_moments, groups.leave_one_out())]) if inputs.errors else None
        return {"fid": Score(by_moments(groups.whole()), error)}


def _few(count: int, shape: tuple[int, ...]) -> bool:
    """Whether the distance is faster by N x N than by d x d matrices; the value is the same."""
    return count * shape[0] <= shape[1] ** 2
