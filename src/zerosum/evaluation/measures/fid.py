"""FID: the Frechet distance of features taken as Gaussians."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import ClassVar

from torch import Tensor

from zerosum.evaluation.groups_of_samples import jackknife
from zerosum.evaluation.measure import GROUPED, LOWER, Needs, Score, ScoreInfo, Sides
from zerosum.metrics.frechet import frechet_distance, frechet_distance_from_moments


@dataclass(frozen=True)
class FID:
    """Frechet distance of the features taken as Gaussians (FID); biased upwards for few samples.

    Heusel et al. 2017 (arXiv 1706.08500): `frechet_distance`. It goes by moments, so that it takes the same memory for
    any number of samples, or by features where they are there and faster.
    """

    name: ClassVar[str] = "fid"
    needs: ClassVar[Needs] = Needs.both("moments")
    gives: ClassVar[Mapping[str, ScoreInfo]] = MappingProxyType(
        {
            "fid": ScoreInfo(
                LOWER,
                "Frechet distance of the features as Gaussians; biased upwards for few samples.",
                "other draws of the generated samples, REAL as it is",
            )
        }
    )
    how: ClassVar[str] = f"covariances over N - 1; {GROUPED}"

    def __call__(self, sides: Sides) -> Mapping[str, Score]:
        """The distance."""
        real, parts = sides.real.moments, sides.fake.parts
        first, second = sides.real.features, sides.fake.features
        if first is not None and second is not None and (parts is None or _few(len(first), second.shape)):

            def distance(some: Tensor) -> float:
                return frechet_distance(first, some)

            return {"fid": Score(distance(second), sides.jackknife(distance, second))}
        assert real is not None and parts is not None
        by_moments = partial(frechet_distance_from_moments, real)
        error = jackknife([*map(by_moments, parts.without())]) if sides.errors else None
        return {"fid": Score(by_moments(parts.whole()), error)}


def _few(count: int, shape: tuple[int, ...]) -> bool:
    """Whether the distance is faster among samples than among dimensions; it is the same number."""
    return count * shape[0] <= shape[1] ** 2
