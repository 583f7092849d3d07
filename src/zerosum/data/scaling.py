"""Points in the units of networks, which learn data of about standard scale."""

__all__ = ()

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zerosum._arrays import evenly
from zerosum.data.dataset import Dataset

_ROWS, _NUMBERS = 1 << 14, 1 << 24  # points inspected, and elements of them, at most
_TAILS = (0.005, 0.995)  # quantiles to which a dimension is clipped, so that outliers do not set its scale
_USUAL_STD, _USUAL_MEAN = (0.125, 4.0), 8.0  # of dimensions that networks learn as they are
_FRACTION = 8  # of the scale: the offset is a multiple of 1/8 of it


@dataclass(frozen=True, eq=False)
class PointScaling:
    """Maps points of the data to points of the networks, `(x - offset) / scale` in each dimension, and back.

    Scales are powers of two and offsets multiples of 1/8 of them, so that the map loses no digits in float64.

    Attributes:
        offset: float64 `(d,)`.
        scale: float64 `(d,)`, above 0.
    """

    offset: Tensor
    scale: Tensor

    def encode(self, points: Tensor) -> Tensor:
        """Points `(N, d)` in the units of the data to float32 on the CPU in the units of the networks."""
        return ((points.cpu().double() - self.offset) / self.scale).float()

    def decode(self, points: Tensor) -> Tensor:
        """Points `(N, d)` in the units of the networks to float64 on the CPU in the units of the data."""
        return points.cpu().double() * self.scale + self.offset

    @property
    def facts(self) -> dict[str, Any]:
        """The number of dimensions."""
        return {"points": len(self.scale)}

    def state_dict(self) -> dict[str, Tensor]:
        """Offset and scale."""
        return {"offset": self.offset, "scale": self.scale}

    @staticmethod
    def restored(facts: Mapping[str, Any], state: Mapping[str, Tensor]) -> "PointScaling":
        """The scaling with these facts and tensors; raises `ValueError` if they are invalid."""
        for name in ("offset", "scale"):
            found = state.get(name)
            fits = found is not None and found.dtype == torch.float64 and tuple(found.shape) == (facts["points"],)
            if not fits or found is None or not bool(found.isfinite().all()):
                raise ValueError(f"a scaling of points has an {name} of {facts['points']} finite float64 numbers")
        if not bool((state["scale"] > 0).all()):
            raise ValueError("a scaling of points has scales above 0")
        return PointScaling(state["offset"], state["scale"])


def measured(dataset: Dataset) -> PointScaling | None:
    """The scaling of a data set of points; None for images, and where every dimension has about standard scale.

    That is a standard deviation from 1/8 to 4 and a mean from -8 to 8, of up to 16,384 evenly spaced points whose tails
    are clipped. Otherwise every dimension is scaled to a standard deviation of 0.7 to 1.5 and a mean near 0. Constant
    dimensions are only shifted. Raises `ValueError` for NaN and infinity.
    """
    if len(dataset.shape) != 1:
        return None
    count = max(256, min(_ROWS, _NUMBERS // dataset.shape[0]))
    x = dataset.read(evenly(dataset.count, count)).double().numpy()
    if not np.isfinite(x).all():
        raise ValueError(f"{dataset.name} has a point with NaN or infinity: remove or replace it")
    clipped = x.clip(*np.quantile(x, _TAILS, axis=0))
    mean, std = clipped.mean(0), clipped.std(0)
    std = np.where(std > 0, std, x.std(0))  # more than 99 % of the values are equal
    std = np.where(np.ptp(x, axis=0) > 0, std, 1.0)  # exactly constant; rounding of the mean may give it a spread
    low, high = _USUAL_STD
    if ((low <= std) & (std <= high) & (np.abs(mean) <= _USUAL_MEAN)).all():
        return None
    scale = np.exp2(np.rint(np.log2(std)))
    offset = np.rint(mean / scale * _FRACTION) / _FRACTION * scale
    return PointScaling(torch.from_numpy(offset), torch.from_numpy(scale))


def scaling_of(facts: Mapping[str, Any], state: Mapping[str, Tensor]) -> PointScaling | None:
    """The scaling in the facts and tensors of a checkpoint or generator; None if its samples are not scaled points."""
    coding = facts.get("coding", {})
    return PointScaling.restored(coding, state) if "points" in coding else None


def standardised(dataset: Dataset, scaling: PointScaling | None) -> Dataset:
    """The data set as networks see it: points scaled, in float32; images and latents as they are.

    `displayed` of the returned one has the units of the data.
    """
    original = dataset.displayed
    if len(dataset.shape) != 1 or (scaling is None and original.read(torch.tensor([0])).dtype == torch.float32):
        return dataset if len(dataset.shape) != 1 else original

    def read(index: Tensor) -> Tensor:
        points = original.read(index)
        return points.float() if scaling is None else scaling.encode(points)

    return replace(original, read=read, coding=scaling, original=original)
