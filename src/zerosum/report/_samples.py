"""The sections of pictures: samples over time, and class by class or condition by condition."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from zerosum.data.conditions import Columns
from zerosum.report._html import Section, figure, joined, prose, tile
from zerosum.runs.generator import TrainedGenerator
from zerosum.runs.images import inline_image, open_image, to_bytes
from zerosum.runs.plain_json import is_number

_GRIDS = 8
_CLASSES, _PER_CLASS = 20, 10
_ENDS = (0.05, 0.95)  # shares of the data below the lowest and the highest number that is asked for
_WIDEST = 1400  # pixels: a larger grid is made smaller, so that the page stays light


def over_time(paths: Sequence[Path], unit: str) -> Section:
    """Return up to eight of a run's images of samples, evenly chosen, the newest large; `unit` is what is counted."""
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
    accuracies = _accuracies(scores)
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


def by_condition(generator: TrainedGenerator, columns: Columns) -> Section:
    """Return what each entry of the condition does, where all else stays: rows of no and yes, or of low to high."""
    shown = columns.names[: _CLASSES // 2 if columns.attributes else _CLASSES]
    if columns.attributes:
        rows = [row for name in shown for row in _no_and_yes(generator, name)]
        words = "Each attribute asked for as no and as yes. Below one another are the same latents, with the other "
        words += "attributes as some training samples have them."
    else:
        rows = [_low_to_high(generator, columns, name) for name in shown]
        words = "Each number asked for from low to high, between the 5th and the 95th percentile of the data. All are "
        words += "of one latent, with the other numbers at their means."
    if len(shown) < len(columns.names):
        words += f" These are the first {len(shown)} of {len(columns.names):,}."
    return Section(
        "conditions", "Condition by condition", prose(words) + f'\n<div class="classes">{joined(rows)}</div>'
    )


def _no_and_yes(generator: TrainedGenerator, name: str) -> list[str]:
    return [
        _row(name, word, generator.sample(_PER_CLASS, conditions={name: value}), [word] * _PER_CLASS)
        for word, value in (("no", 0.0), ("yes", 1.0))
    ]


def _low_to_high(generator: TrainedGenerator, columns: Columns, name: str) -> str:
    place = columns.index(name)
    low, high = np.quantile(columns.rows[:, place].numpy(), _ENDS)
    rows = np.tile(np.array(columns.mean), (_PER_CLASS, 1))
    rows[:, place] = np.linspace(low, high, _PER_CLASS)
    z = generator.latents(1).expand(_PER_CLASS, -1)
    samples = to_bytes(generator.map(z, columns.scaled(torch.from_numpy(rows))))
    return _row(name, f"{low:.4g} to {high:.4g}", samples, [f"{value:.4g}" for value in rows[:, place]])


def _row(name: str, told: str, samples: NDArray[Any], asked: Sequence[str]) -> str:
    pairs = zip(samples.astype(np.uint8), asked, strict=True)
    tiles = joined(tile(sample, f"generated: {name} {value}") for sample, value in pairs)
    return f'<div class="class"><b>{escape(name)}<small>{escape(told)}</small></b>{tiles}</div>'


def _accuracies(scores: Mapping[str, Any]) -> Mapping[str, float]:
    """The accuracy of each class by name; none where scores lack it, or what goes with it."""
    found = scores.get("class_accuracies")
    whole = all(is_number(scores.get(f"class_accuracy{part}")) for part in ("", "_samples", "_ceiling"))
    return found if isinstance(found, dict) and whole and "class_accuracy_judge" in scores else {}


def _images(path: Path) -> int:
    return int(path.stem)


def _grid(path: Path, caption: str) -> str:
    try:
        return figure(inline_image(open_image(path, _WIDEST), f"samples after {caption}"), caption)
    except ValueError as error:
        return figure(prose(str(error)), caption)
