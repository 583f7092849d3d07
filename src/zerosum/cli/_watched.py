"""The frames of films of runs."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import partial
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
HOLD = 8  # times that the last frame of an animation is shown
_NARROW, _WIDEST = 600, 1_000  # pixels: of an image beside another one, and of a grid of samples


def watched(runs: Sequence[Run], sheet: bool) -> tuple[Frames, int]:
    """The frames of the film of one or two runs, uint8 `(H, W, 3)` of one size, and the columns of a sheet of them.

    Two films show the same number of real samples at a time; a run that is over keeps its last frame. Raises
    `ValueError` for other than one or two runs, and for a run without frames.
    """
    if not 1 <= len(runs) <= 2:
        raise ValueError(f"a film is of one run or of two beside each other; found {len(runs)}")
    found = [_moments(run) for run in runs]
    every = sorted({images for times, _ in found for images in times})
    if sheet:
        every = [every[n] for n in evenly_to_the_end(len(every), _SHEET)]
    films = [_at(every, times, draw) for times, draw in found]
    narrow = all(image.width <= _NARROW for one in films for image in one)
    joined = [(beside if narrow else stacked)(moment, 0) for moment in zip(*films, strict=True)]
    frames = [np.asarray(image.convert("RGB")) for image in _alike(joined)]
    return frames, 2 if narrow else 1


_Draw = Callable[[Sequence[int]], list[Image.Image]]


def _moments(run: Run) -> tuple[list[int], _Draw]:
    """The images seen at each frame of a run, and a function that draws the frames at given indices."""
    found = film(run)
    if found is not None:
        return [one.images for one in found.frames], partial(film_images, found)
    grids = run.samples
    if not grids:
        raise ValueError(f"{run} has no frames and no sample grids yet: train longer")
    return [int(path.stem) for path in grids], partial(_grids, grids, run.recipe.name)


def _at(every: Sequence[int], times: Sequence[int], draw: _Draw) -> list[Image.Image]:
    """The newest frame at each moment, before the first one that one; each is drawn once."""
    places = [max(bisect_right(times, images) - 1, 0) for images in every]
    once = sorted(set(places))
    by_place = dict(zip(once, draw(once), strict=True))
    return [by_place[place] for place in places]


def _grids(paths: Sequence[Path], name: str, places: Sequence[int]) -> list[Image.Image]:
    return [_grid(paths[place], name) for place in places]


def _grid(path: Path, name: str) -> Image.Image:
    return padded(titled(open_image(path, _WIDEST).convert("RGB"), f"{name}: {int(path.stem):,} images seen"))


def _alike(images: Sequence[Image.Image]) -> list[Image.Image]:
    """Images of one size, on white."""
    size = (max(image.width for image in images), max(image.height for image in images))
    sheets = [Image.new("RGB", size, "white") for _ in images]
    for sheet, image in zip(sheets, images, strict=True):
        sheet.paste(image, (0, 0))
    return sheets
