"""`zerosum sample`."""

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zerosum.cli._output import JsonFlag, print_json
from zerosum.cli._use import known, using

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

    from zerosum.runs.generator import TrainedGenerator

    Values = NDArray[Any] | None  # conditions in the units of the data


@using
def sample(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder or generator.safetensors file.")],
    n: Annotated[int, typer.Option(help="Number of samples.")] = 100,
    seed: Annotated[int, typer.Option(help="Random seed. Sample i does not depend on n.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option(
            help="FILE.png for an image grid, FILE.npz for arrays, else a folder of PNG files.",
            show_default="RUN/samples.png",
        ),
    ] = None,
    classes: Annotated[
        list[str] | None,
        typer.Option(
            "--class",
            help="Class name or number, or none for models with label dropout. Repeatable; cycled over samples.",
        ),
    ] = None,
    conditions: Annotated[
        list[str] | None,
        typer.Option(
            "--condition",
            metavar="NAME=VALUE",
            help="Value of a condition's component (repeatable), FILE.npy of whole conditions (cycled over samples), "
            "or none for models with label dropout.",
        ),
    ] = None,
    best: Annotated[
        bool, typer.Option("--best", help="Use the generator with the best evaluation score instead of the last.")
    ] = False,
    name: Annotated[
        str, typer.Option("--generator", metavar="NAME", help="One of several generators of the run's game.")
    ] = "generator",
    as_json: JsonFlag = False,
) -> None:
    """Sample from a trained generator.

    Samples come from the moving average of its weights. Without --class, classes are cycled over samples. Conditions
    not set by --condition are taken from training examples.

    An .npz file contains `images` (uint8, N x H x W x C) or `points` (float32, in the units of the data), and `labels`
    or `conditions` for conditional models. A folder contains a subfolder per class, or a table of conditions, in the
    format that --data reads.
    """
    generator = _loaded(run, best, name)
    labels = [classes[i % len(classes)] for i in range(n)] if classes else None
    wanted = None
    if conditions:
        if generator.condition is None:
            raise ValueError(f"this {generator.recipe.name} generator has no conditions: it was trained without any")
        wanted = generator.condition.parse(conditions, n)
    samples = generator.sample(n, seed, labels, wanted)
    target = out or (run if run.is_dir() else run.parent) / "samples.png"
    values = generator.conditions(n, wanted) if labels is None else generator.labels(n, labels)
    _write(target, generator, samples, values)
    if as_json:
        print_json({"out": target, "n": n, "seed": seed, "shape": list(samples.shape), "images": generator.images})
        return
    typer.echo(f"wrote {n} samples to {target}", err=True)


def _loaded(run: Path, best: bool, name: str) -> "TrainedGenerator":
    from zerosum.game.trainable import MAIN
    from zerosum.runs.generator import load
    from zerosum.runs.run import Run

    if best and name != MAIN:
        raise ValueError(
            f"--best keeps the generator called {MAIN!r}; found --generator {name}: leave one of the two out"
        )
    return Run(run, known()).best if best else load(run, known(), generator=name)


def _write(target: Path, generator: "TrainedGenerator", samples: "NDArray[Any]", values: "Values") -> None:
    import numpy as np

    target.parent.mkdir(parents=True, exist_ok=True)
    if target.suffix.lower() == ".npz":
        arrays: dict[str, Any] = {"images" if generator.is_image else "points": samples}
        if generator.condition is not None and values is not None:
            arrays["labels" if generator.classes else "conditions"] = values
            if generator.condition.components:
                arrays["condition_names"] = np.array(generator.condition.components)
        np.savez_compressed(target, **arrays)
    elif target.suffix.lower() == ".png":
        _plot(samples, generator).save(target)
    elif target.suffix:
        raise ValueError(f"{target} is none of FILE.png, FILE.npz or a folder")
    elif not generator.is_image:
        raise ValueError("points cannot be written as a folder of images: name FILE.npz or FILE.png")
    else:
        _write_folder(target, generator, samples, values)


def _plot(samples: "NDArray[Any]", generator: "TrainedGenerator") -> "Image":
    import math

    from zerosum.plots.grids import grid
    from zerosum.plots.points import histogram, scatter

    if generator.is_image:
        columns = len(generator.classes) if 1 < len(generator.classes) <= 20 else math.isqrt(len(samples) - 1) + 1
        return grid(samples, columns=min(columns, len(samples)))
    return histogram(samples) if samples.shape[1] == 1 else scatter(samples)


def _write_folder(target: Path, generator: "TrainedGenerator", samples: "NDArray[Any]", values: "Values") -> None:
    import numpy as np

    from zerosum.plots.grids import grid

    if target.exists() and any(target.iterdir()):
        raise ValueError(f"{target} is not empty: name a new folder, so that samples do not mix with other files")
    names = (*generator.classes, "none")
    labels = values if generator.classes else None
    for name in () if labels is None else {names[label] for label in labels.tolist()}:
        if name in ("", ".", "..") or not name.isprintable() or {*name} & {"/", "\\", "\0"}:
            raise ValueError(f"the class name {name!a:.80} cannot be a folder name: write to FILE.npz")
    for index, image in enumerate(samples):
        folder = target if labels is None else target / names[labels[index]]
        folder.mkdir(parents=True, exist_ok=True)
        grid(image[None], columns=1, gap=0, scale=1).save(folder / f"{index:06d}.png")
    if generator.condition is None or values is None or labels is not None:
        return
    if not generator.condition.components:
        np.save(target / "conditions.npy", values)
        return
    with (target / "conditions.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["file", *generator.condition.components])
        table.writerows([f"{index:06d}.png", *row] for index, row in enumerate(values.tolist()))
