"""Files of samples: an image grid, an `.npz`, a `.txt` of texts, or a folder of images. Each is whole or not there, and
is written as the samples come, so that memory does not grow with their number."""

import csv
import math
import shutil
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zerosum._disk import replacing, temporary
from zerosum._outputs import mark_folder, sheet_exif
from zerosum.plots.grids import grid, grid_of_batches
from zerosum.plots.points import histogram, scatter
from zerosum.runs.generator import TrainedGenerator

Samples = NDArray[Any]
Values = NDArray[Any] | None  # conditions in the units of the data


def write_samples(
    target: Path, generator: TrainedGenerator, n: int, batches: Iterable[Samples], values: Values
) -> tuple[int, ...]:
    """Write n samples, which come in batches, and return the shape of all of them.

    Raises:
        ValueError: for a link, and for a grid of too many images.
        OSError: if they cannot be written; what was there stays.
    """
    iterator = iter(batches)
    first = next(iterator)
    shape, batches = (n, *first.shape[1:]), chain([first], iterator)
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.suffix.lower() == ".npz":
        _write_arrays(target, generator, (shape, first.dtype), batches, values)
    elif target.suffix.lower() == ".png":
        with replacing(target) as file:
            _plot(generator, shape, batches).save(file, format="PNG", exif=sheet_exif())
    else:
        _write_folder(target, generator, batches, values)
    return shape


def write_texts(target: Path, n: int, batches: Iterable[list[str]]) -> tuple[int, ...]:
    """Write n texts, a line each, and return their number as a shape; errors are those of `write_samples`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(target) as file:
        for batch in batches:
            file.write("".join(f"{text}\n" for text in batch).encode())
    return (n,)


def _write_arrays(
    target: Path,
    generator: TrainedGenerator,
    layout: tuple[tuple[int, ...], np.dtype[Any]],
    batches: Iterable[Samples],
    values: Values,
) -> None:
    """Write an archive of samples, whose layout is their shape and data type."""
    (shape, kind), name = layout, "images" if generator.is_image else "points"
    beside: dict[str, Samples] = {}
    if generator.condition is not None and values is not None:
        beside["labels" if generator.classes else "conditions"] = values
        if generator.condition.components:
            beside["condition_names"] = np.array(generator.condition.components)
    with replacing(target) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
            facts = {"descr": np.lib.format.dtype_to_descr(kind), "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(member, facts)
            for batch in batches:
                member.write(np.ascontiguousarray(batch, kind).tobytes())
        for key, array in beside.items():
            with archive.open(f"{key}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def _plot(generator: TrainedGenerator, shape: tuple[int, ...], batches: Iterable[Samples]) -> Any:
    if not generator.is_image:
        points = np.concatenate([*batches])
        return histogram(points) if shape[1] == 1 else scatter(points)
    columns = len(generator.classes) if 1 < len(generator.classes) <= 20 else math.isqrt(shape[0] - 1) + 1
    return grid_of_batches(batches, shape[0], shape[1:], columns=min(columns, shape[0]))


def _write_folder(target: Path, generator: TrainedGenerator, batches: Iterable[Samples], values: Values) -> None:
    """Write a folder of images under a temporary name, and rename it once it is whole."""
    names = (*generator.classes, "none")
    labels = values if generator.classes else None
    for name in () if labels is None else {names[label] for label in np.unique(labels).tolist()}:
        if name in ("", ".", "..") or not name.isprintable() or {*name} & {"/", "\\", "\0"}:
            raise ValueError(f"the class name {name!a:.80} cannot be a folder name: write to FILE.npz")
    unfinished = temporary(target)
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    try:
        mark_folder(unfinished)
        for index, image in enumerate(_each(batches)):
            folder = unfinished if labels is None else unfinished / names[labels[index]]
            folder.mkdir(exist_ok=True)
            grid(image[None], columns=1, gap=0, scale=1).save(folder / f"{index:06d}.png")
        if generator.condition is not None and values is not None and labels is None:
            _write_conditions(unfinished, generator.condition.components, values)
        unfinished.rename(target)
    finally:
        with suppress(OSError):
            shutil.rmtree(unfinished, ignore_errors=True)


def _write_conditions(folder: Path, components: tuple[str, ...], values: Samples) -> None:
    if not components:
        np.save(folder / "conditions.npy", values)
        return
    with (folder / "conditions.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["file", *components])
        table.writerows([f"{index:06d}.png", *row] for index, row in enumerate(values.tolist()))


def _each(batches: Iterable[Samples]) -> Iterator[Samples]:
    for batch in batches:
        yield from batch
