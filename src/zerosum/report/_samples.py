"""The sections of images: samples over time, and by condition."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from zerosum._arrays import evenly_to_the_end
from zerosum.conditions.condition import REAL, Condition, ConditionRow
from zerosum.metrics.image_similarity import psnr
from zerosum.plots.grids import grid
from zerosum.report._html import Section, figure, joined, prose, tile
from zerosum.runs.generator import TrainedGenerator
from zerosum.runs.images import ROWS, inline_image, open_image
from zerosum.runs.plain_json import is_number

_GRIDS = 12
_ROWS, _PER_ROW = 20, 10  # maximum number of rows of conditional samples, and samples in each
_WIDEST = 1400  # pixels; larger grids are resized to keep the page small


def over_time(paths: Sequence[Path], unit: str, real: NDArray[np.uint8] | None = None) -> Section:
    """Return a slider over up to twelve sample grids of a run, beside real images `(n, H, W, C)`.

    The slider is radio buttons, so it needs no script; the newest grid is shown first. `unit` is images or points.
    """
    if not paths:
        return Section("samples", "Samples", prose("No sample grid yet; the first is written with the first snapshot."))
    chosen = [paths[n] for n in evenly_to_the_end(len(paths), _GRIDS)]
    body = prose("All from the same latents. Move the mark, also by the arrow keys, to see how the samples changed.")
    stops = [_stop(path, unit, path == chosen[-1]) for path in chosen]
    slider = f'<div class="slider" style="--stops:{len(stops)}">{joined(stops)}</div>'
    if real is not None:
        image = grid(real, columns=max(1, len(real) // ROWS))
        image.thumbnail((_WIDEST, _WIDEST))
        slider += figure(inline_image(image, "real images"), "real images", "real")
    body += f'\n<div class="beside">{slider}</div>'
    return Section("samples", "Samples over time", body)


def by_condition(generator: TrainedGenerator, condition: Condition, scores: Mapping[str, Any]) -> Section:
    """Return rows of samples under selected conditions, with the accuracy of each class if it was computed."""
    overview, accuracies = condition.overview(_ROWS, _PER_ROW), _accuracies(scores)
    text = overview.text
    if accuracies:
        text += (
            f" Conditional accuracy: {scores['class_accuracy']:.1%} of {scores['class_accuracy_samples']:,} samples, "
            f"by a classifier ({scores['class_accuracy_classifier']}) with an accuracy of "
            f"{scores['class_accuracy_ceiling']:.1%} on real samples."
        )
    real = next((row.shown for row in overview.rows if row.name == REAL and row.shown is not None), None)
    if real is not None:
        text += " PSNR is the mean over the real samples of a row; blur scores high."
    rows = [_row(generator, row, accuracies, real) for row in overview.rows]
    return Section("conditions", overview.title, prose(text) + f'\n<div class="classes">{joined(rows)}</div>')


def _row(
    generator: TrainedGenerator, row: ConditionRow, accuracies: Mapping[str, float], real: Tensor | None = None
) -> str:
    samples, what = _samples(generator, row)
    tiles = joined(tile(x, f"{what}: {caption}") for x, caption in zip(samples, row.captions, strict=True))
    note = row.note or (f"{accuracies[row.name]:.1%}" if row.name in accuracies else _agreement(row, samples, real))
    small = f"<small>{escape(note)}</small>" if note else ""
    return f'<div class="class"><b>{escape(row.name)}{small}</b>{tiles}</div>'


def _samples(generator: TrainedGenerator, row: ConditionRow) -> tuple[NDArray[np.uint8], str]:
    """The images of a row, and what they are."""
    if row.shown is not None:
        return row.shown.permute(0, 2, 3, 1).numpy(), row.name
    count = len(row.values)
    z = generator.latents(count) if row.latent is None else generator.latents(row.latent + 1)[-1:].expand(count, -1)
    return generator.render(z, row.values).astype(np.uint8), "generated"


def _agreement(row: ConditionRow, samples: NDArray[np.uint8], real: Tensor | None) -> str:
    """The PSNR of the images of a row against the real ones, where they have one size."""
    if real is None or row.name == REAL:
        return ""
    truths = real.permute(0, 2, 3, 1).numpy()
    if samples.shape != truths.shape:
        return ""
    mean = float(psnr(samples, truths).mean())
    return f"{mean:.1f} dB" if mean < math.inf else "equal"


def _accuracies(scores: Mapping[str, Any]) -> Mapping[str, float]:
    """The accuracy of each class by name; empty if it, or a value that belongs to it, is missing."""
    found = scores.get("class_accuracies")
    whole = all(is_number(scores.get(f"class_accuracy{part}")) for part in ("", "_samples", "_ceiling"))
    return found if isinstance(found, dict) and whole and "class_accuracy_classifier" in scores else {}


def _images(path: Path) -> int:
    return int(path.stem)


def _stop(path: Path, unit: str, newest: bool) -> str:
    caption = f"{_images(path):,} {unit}"
    checked = " checked" if newest else ""
    return f'<input type="radio" name="time" aria-label="{caption}" title="{caption}"{checked}>{_grid(path, caption)}'


def _grid(path: Path, caption: str) -> str:
    try:
        return figure(inline_image(open_image(path, _WIDEST), f"samples after {caption}"), caption)
    except ValueError as error:
        return figure(prose(str(error)), caption)
