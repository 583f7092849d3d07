"""The frames of films of runs."""

from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from zerosum._arrays import evenly_to_the_end
from zerosum.cli._films import Frames
from zerosum.diagnostics.films import film
from zerosum.diagnostics.scenes import film_images
from zerosum.plots.panels import beside, padded, stacked, titled
from zerosum.runs.images import open_image
from zerosum.runs.run import Run

_SHEET = 12  # frames in a grid, at most
_LAST = 8  # times that the last frame of an animation is shown
_NARROW, _WIDEST = 600, 1_000  # pixels: of an image beside another one, and of a grid of samples


def watched(runs: Sequence[Run], sheet: bool) -> tuple[Frames, int]:
    """The frames of the film of one or two runs, uint8 `(H, W, 3)` of one size, and the columns of a sheet of them.

    Two films show the same number of real samples at a time; a run that is over keeps its last frame. Raises
    `ValueError` for other than one or two runs, and for a run without frames.
    """
    if not 1 <= len(runs) <= 2:
        raise ValueError(f"a film is of one run or of two beside each other; found {len(runs)}")
    times = [_times(run) for run in runs]
    every = sorted({images for one in times for images in one})
    if sheet:
        every = [every[n] for n in evenly_to_the_end(len(every), _SHEET)]
    films = [_images(run, _places(one, every)) for run, one in zip(runs, times, strict=True)]
    narrow = all(image.width <= _NARROW for one in films for image in one)
    joined = [(beside if narrow else stacked)(moment, 0) for moment in zip(*films, strict=True)]
    frames = [np.asarray(image.convert("RGB")) for image in _alike(joined)]
    if sheet:
        return frames, 2 if narrow else 1
    return [*frames, *frames[-1:] * (_LAST - 1)], 1


def _times(run: Run) -> list[int]:
    """The images seen at each frame of a run."""
    found = film(run)
    times = [int(path.stem) for path in run.samples] if found is None else [one.images for one in found.frames]
    if not times:
        raise ValueError(f"{run} has no frames and no sample grids yet: train longer")
    return times


def _places(times: Sequence[int], every: Sequence[int]) -> list[int]:
    """The index of the newest frame at each moment; before the first one, that one."""
    return [max(bisect_right(times, images) - 1, 0) for images in every]


def _images(run: Run, places: Sequence[int]) -> list[Image.Image]:
    """The frames of a run at these indices, each drawn once."""
    found, once = film(run), sorted(set(places))
    drawn = [_grid(run.samples[n], run.recipe.name) for n in once] if found is None else film_images(found, once)
    by_place = dict(zip(once, drawn, strict=True))
    return [by_place[place] for place in places]


def _grid(path: Path, name: str) -> Image.Image:
    return padded(titled(open_image(path, _WIDEST).convert("RGB"), f"{name}: {int(path.stem):,} images seen"))


def _alike(images: Sequence[Image.Image]) -> list[Image.Image]:
    """Images of one size, on white."""
    size = (max(image.width for image in images), max(image.height for image in images))
    sheets = [Image.new("RGB", size, "white") for _ in images]
    for sheet, image in zip(sheets, images, strict=True):
        sheet.paste(image, (0, 0))
    return sheets
