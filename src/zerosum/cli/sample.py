"""`zerosum sample`."""

import csv
from pathlib import Path
from tokenize import TokenError
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zerosum.cli._output import JsonFlag, print_json
from zerosum.cli._use import known, using

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    from zerosum.runs.generator import TrainedGenerator

    Labels = NDArray[np.int64] | None
    Rows = NDArray[np.float64] | None


@using
def sample(
    run: Annotated[Path, typer.Argument(help="A run folder, or a generator.safetensors file.")],
    n: Annotated[int, typer.Option(help="How many samples.")] = 100,
    seed: Annotated[int, typer.Option(help="Which samples: sample i is the same for every n.")] = 0,
    out: Annotated[
        Path | None, typer.Option(help="FILE.png for one picture, FILE.npz for arrays, else a folder of PNG files.")
    ] = None,
    classes: Annotated[
        list[str] | None,
        typer.Option(
            "--class", help="Class by name or number, or none where label dropout allows; may be given several times."
        ),
    ] = None,
    conditions: Annotated[
        list[str] | None,
        typer.Option(
            "--condition",
            metavar="NAME=VALUE",
            help="An entry of the condition; may be given several times. Or FILE.npy of whole rows, taken in turn; or "
            "none where label dropout allows.",
        ),
    ] = None,
    best: Annotated[
        bool, typer.Option("--best", help="As it was at the best of the run's evaluations, not at its end.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Sample from a trained generator: its running average, each class in turn unless --class says otherwise.

    A model of attributes or numbers takes those of rows of its training data in turn, but for what --condition says.

    An .npz holds `images` (uint8, N x H x W x C) or `points` (float32, in the data's units), and `labels` or
    `conditions` where the model is conditional. A folder has a folder for each class, or a table of the conditions, as
    `--data` reads them.
    """
    from zerosum.runs.generator import load
    from zerosum.runs.run import Run

    generator = Run(run, known()).best if best else load(run, known())
    wanted = _wanted(generator, conditions or [])
    labels = _labels(generator, n, classes or [])
    samples = generator.sample(n, seed, labels, wanted)
    target = out or (run if run.is_dir() else run.parent) / "samples.png"
    _write(target, generator, samples, labels, generator.conditions(n, wanted))
    if as_json:
        print_json({"out": target, "n": n, "seed": seed, "shape": list(samples.shape), "images": generator.images})
        return
    typer.echo(f"wrote {n} samples to {target}", err=True)


def _labels(generator: "TrainedGenerator", n: int, names: list[str]) -> "Labels":
    import numpy as np

    if not names:
        return generator.labels(n)
    chosen = np.array([generator.class_index(name) for name in names])
    return chosen[np.arange(n) % len(chosen)]


def _wanted(generator: "TrainedGenerator", texts: list[str]) -> "dict[str, float] | list[float] | NDArray[Any] | None":
    """What of the condition is asked for: entries by name, or whole rows."""
    from zerosum.data.conditions import UNKNOWN

    if not texts:
        return None
    alone = texts[0] if len(texts) == 1 else ""
    if alone == "none" and generator.columns is not None:
        if not generator.recipe.label_dropout:
            raise ValueError("none is a condition after label dropout only: ask for NAME=VALUE")
        return [UNKNOWN] * len(generator.columns.names)
    if alone.lower().endswith(".npy") and "=" not in alone:
        return _rows(Path(alone))
    found: dict[str, float] = {}
    for text in texts:
        name, equals, value = text.rpartition("=")
        if not equals or name in found:
            raise ValueError(f"--condition takes NAME=VALUE, each name once; found {text!r}")
        try:
            found[name] = float(value)
        except ValueError:
            raise ValueError(f"--condition takes a number; found {text!r}") from None
    return found


def _rows(path: Path) -> "NDArray[Any]":
    import numpy as np

    try:
        with path.open("rb") as file:
            rows: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
    except (OSError, EOFError, ValueError, TypeError, OverflowError, MemoryError, TokenError) as error:
        raise ValueError(f"{path} does not read as a .npy file: {error}") from None
    return rows


def _write(
    target: Path, generator: "TrainedGenerator", samples: "NDArray[Any]", labels: "Labels", rows: "Rows"
) -> None:
    import numpy as np

    target.parent.mkdir(parents=True, exist_ok=True)
    if target.suffix.lower() == ".npz":
        arrays: dict[str, Any] = {"images" if generator.is_image else "points": samples}
        if labels is not None:
            arrays["labels"] = labels
        if generator.columns is not None:
            arrays |= {"conditions": rows, "condition_names": np.array(generator.columns.names)}
        np.savez_compressed(target, **arrays)
    elif target.suffix.lower() == ".png":
        _picture(samples, generator).save(target)
    elif target.suffix:
        raise ValueError(f"{target} is none of FILE.png, FILE.npz or a folder")
    elif not generator.is_image:
        raise ValueError("points do not go into a folder of pictures: name FILE.npz or FILE.png")
    else:
        _write_folder(target, generator, samples, labels, rows)


def _picture(samples: "NDArray[Any]", generator: "TrainedGenerator") -> "Image":
    import math

    from zerosum.pictures.mosaic import grid
    from zerosum.pictures.points import histogram, scatter

    if generator.is_image:
        columns = len(generator.classes) if 1 < len(generator.classes) <= 20 else math.isqrt(len(samples) - 1) + 1
        return grid(samples, columns=min(columns, len(samples)))
    return histogram(samples) if samples.shape[1] == 1 else scatter(samples)


def _write_folder(
    target: Path, generator: "TrainedGenerator", samples: "NDArray[Any]", labels: "Labels", rows: "Rows"
) -> None:
    from zerosum.pictures.mosaic import grid

    if target.exists() and any(target.iterdir()):
        raise ValueError(f"{target} is not empty: name a new folder, so that samples do not mix with other files")
    for name in () if labels is None else {(*generator.classes, "none")[label] for label in labels.tolist()}:
        if name in ("", ".", "..") or not name.isprintable() or {*name} & {"/", "\\", "\0"}:
            raise ValueError(f"the class {name!a:.80} is no name for a folder: write to FILE.npz")
    for index, picture in enumerate(samples):
        folder = target if labels is None else target / (*generator.classes, "none")[labels[index]]
        folder.mkdir(parents=True, exist_ok=True)
        grid(picture[None], columns=1, gap=0, scale=1).save(folder / f"{index:06d}.png")
    if generator.columns is not None and rows is not None:
        with (target / "conditions.csv").open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow(["file", *generator.columns.names])
            table.writerows([f"{index:06d}.png", *row] for index, row in enumerate(rows.tolist()))
