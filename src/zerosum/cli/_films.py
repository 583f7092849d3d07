"""Files of moving images."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zerosum._disk import replacing
from zerosum._outputs import sheet_exif
from zerosum.data.image_files import MOVING, write_clip
from zerosum.plots.grids import grid

Frames = list[NDArray[np.uint8]]
_LONGEST = 8_000  # milliseconds of a frame, of which an APNG holds eight in one


def check_film(target: Path, duration: int, what: str) -> None:
    """Raise `ValueError` where `what`, such as a walk, cannot be written to a file of this suffix."""
    if target.suffix.lower() not in MOVING or not 1 <= duration <= _LONGEST:
        raise ValueError(
            f"{what} is FILE.webp, FILE.gif, FILE.apng or FILE.png, with frames of 1 to {_LONGEST:,} ms; "
            f"found {target} and {duration}"
        )


def write_film(target: Path, frames: Frames, duration: int, columns: int = 1, hold: int = 1) -> None:
    """Write frames as an animation, whose last one lasts `hold` times as long, or as a grid of them."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.suffix.lower() == ".png":
        with replacing(target) as file:
            grid(np.stack(frames), columns=columns, gap=1).save(file, format="PNG", exif=sheet_exif())
        return
    shown = [*frames, *frames[-1:] * (hold - 1)]
    write_clip(target, [_enlarged(frame) for frame in shown], duration, film=True)


def _enlarged(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Small images at least 64 pixels high, without interpolation."""
    scale = max(1, -(-64 // frame.shape[0]))
    return frame.repeat(scale, 0).repeat(scale, 1)
