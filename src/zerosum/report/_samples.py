"""The sections of pictures: samples over time, and class by class."""

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from zerosum.report._html import Section, figure, joined, picture, prose, tile
from zerosum.runs.generator import TrainedGenerator

_GRIDS = 8
_CLASSES, _PER_CLASS = 20, 10
_WIDEST = 1400  # pixels: a larger grid is made smaller, so that the page stays light


def over_time(run: Path, unit: str) -> Section:
    """Return up to eight of the pictures in `samples/`, evenly chosen, the newest large; `unit` is what is counted."""
    paths = sorted((path for path in (run / "samples").glob("*.png") if path.stem.isdecimal()), key=_images)
    if not paths:
        return Section("samples", "Samples", prose("No picture of samples yet: the first comes with a snapshot."))
    chosen = [paths[n] for n in np.unique(np.linspace(0, len(paths) - 1, _GRIDS).round().astype(int))]
    *earlier, newest = [_grid(path, f"{_images(path):,} {unit}") for path in chosen]
    body = prose("Always from the same latents, so that progress shows.")
    body += f'\n<div class="newest">{newest}</div>'
    if earlier:
        body += f'\n<div class="earlier">{joined(earlier)}</div>'
    return Section("samples", "Samples over time", body)


def class_by_class(generator: TrainedGenerator, scores: Mapping[str, Any]) -> Section:
    """Return a row of samples for each class, with its name and, where it was scored, the share that carries it."""
    accuracies = scores.get("class_accuracies", {})
    shown = generator.classes[:_CLASSES]
    labels = np.repeat(np.arange(len(shown)), _PER_CLASS)
    samples = generator.sample(len(labels), labels=labels).astype(np.uint8)
    rows = []
    for index, name in enumerate(shown):
        own = samples[index * _PER_CLASS : (index + 1) * _PER_CLASS]
        tiles = joined(tile(sample, f"generated: {name}") for sample in own)
        share = f"<small>{accuracies[name]:.1%}</small>" if name in accuracies else ""
        rows.append(f'<div class="class"><b>{escape(name)}{share}</b>{tiles}</div>')
    words = "What the generator makes when it is asked for each class."
    if accuracies:
        words += (
            f" {scores['class_accuracy']:.1%} of {scores['class_accuracy_samples']:,} samples carry the class asked "
            f"for, read by a judge ({scores['class_accuracy_judge']}) that reads "
            f"{scores['class_accuracy_ceiling']:.1%} of real ones right."
        )
    if len(shown) < len(generator.classes):
        words += f" These are the first {len(shown)} of {len(generator.classes):,} classes."
    return Section("classes", "Class by class", prose(words) + f'\n<div class="classes">{joined(rows)}</div>')


def _images(path: Path) -> int:
    return int(path.stem)


def _grid(path: Path, caption: str) -> str:
    try:
        with Image.open(path, formats=["PNG"]) as file:
            image = file.convert("L" if file.mode in ("1", "L") else "RGB")
    except (OSError, Image.DecompressionBombError) as error:
        return figure(prose(f"{path.name} does not read as a picture: {error}"), caption)
    image.thumbnail((_WIDEST, _WIDEST))
    return figure(picture(image, f"samples after {caption}"), caption)
