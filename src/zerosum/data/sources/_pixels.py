"""Infer the channel axis and the value range of arrays of images."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
_SLACK = 1e-3
_CHUNK = 1024


@dataclass(frozen=True)
class Scale:
    """The values of black and white, which map to 0 and 255 in uint8."""

    black: float
    white: float

    def covers(self, low: float, high: float) -> bool:
        """Whether the range from low to high is between black and white, up to rounding."""
        return self.black - _SLACK <= low and high <= self.white + _SLACK

    def __call__(self, x: Array) -> NDArray[np.uint8]:
        """Convert x to uint8."""
        share = (x.astype(np.float32) - self.black) / (self.white - self.black)
        return np.asarray(np.rint(255 * share).clip(0, 255), dtype=np.uint8)


_WHOLE = (Scale(0, 255),)
_REAL = (Scale(0, 1), Scale(-1, 1))


def scale_of(name: str, low: float, high: float, whole: bool) -> Scale:
    """Infer the scale from the range of all values, and from whether they are integers.

    Integers are in 0..255, floats in 0..1 or -1..1; anything else raises `ValueError`.
    """
    for scale in _WHOLE if whole else _REAL:
        if scale.covers(low, high):
            return scale
    hint = ": convert them with .astype('uint8')" if _WHOLE[0].covers(low, high) else ""
    raise ValueError(
        f"the pixels of {name} should be integers in 0..255, or floats in 0..1 or -1..1, "
        f"but are {'integers' if whole else 'floats'} from {low:g} to {high:g}{hint}"
    )


def looks_like_channels(length: int) -> bool:
    """Whether an axis is short enough for channels, rather than height or width."""
    return 1 <= length <= 4


def channel_axis(name: str, shape: Sequence[int], layout: str | None) -> int | None:
    """Return the channel axis of images, 1 or 3, or None if there is none, as in (N, H, W).

    `layout` is "NHW", "NHWC" or "NCHW", or None to infer it from the shape: the second or last axis, whichever has at
    most four elements. Raises `ValueError` when the shape is ambiguous, or does not fit the layout.
    """
    axes = {"NHW": None, "NHWC": 3, "NCHW": 1}
    if layout is not None and layout not in axes:
        raise ValueError(f"layout should be one of {', '.join(axes)}, but is {layout!r}")
    if layout is not None and len(layout) != len(shape):
        raise ValueError(f"{name} has shape {tuple(shape)}, which is not {layout}")
    if layout is not None:
        return axes[layout]
    if len(shape) == 3:
        return None
    if len(shape) != 4:
        raise ValueError(f"{name} should be images (N, H, W, C), (N, C, H, W) or (N, H, W), but is {tuple(shape)}")
    first, last = looks_like_channels(shape[1]), looks_like_channels(shape[3])
    if first == last:
        raise ValueError(
            f"{name} has shape {tuple(shape)}, where {'both' if last else 'neither'} of the second and last axis "
            f"could be channels (four or fewer): pass layout='NHWC' or layout='NCHW'"
        )
    return 3 if last else 1


def extremes(name: str, x: Array) -> tuple[float, float]:
    """Return the minimum and maximum; raises `ValueError` for NaN and infinity."""
    low, high = float(x.min()), float(x.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        at = next(index for index, part in enumerate(x) if not np.isfinite(part).all())
        raise ValueError(f"{name} has a NaN or infinite value, first at index {at}: remove or replace it")
    return low, high


def to_uint8(scale: Scale, x: Array) -> NDArray[np.uint8]:
    """Convert an array, which may be on disk, in chunks; uint8 is returned unchanged."""
    if x.dtype == np.uint8:
        return x
    converted = np.empty(x.shape, np.uint8)
    for start in range(0, len(x), _CHUNK):
        converted[start : start + _CHUNK] = scale(x[start : start + _CHUNK])
    return converted
