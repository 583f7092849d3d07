"""`zerosum sample`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zerosum.cli._output import JsonFlag, print_json

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    from zerosum.runs.generator import TrainedGenerator

    Labels = NDArray[np.int64] | None


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
    as_json: JsonFlag = False,
) -> None:
    """Sample from a trained generator: its running average, each class in turn unless --class says otherwise.

    An .npz holds `images` (uint8, N x H x W x C) or `points` (float32, in the data's units), and `labels` where the
    model is conditional. A folder of a conditional model has a folder for each class, as `--data` reads them.
    """
    from zerosum.runs.generator import load

    generator = load(run)
    labels = _labels(generator, n, classes or [])
    samples = generator.sample(n, seed, labels)
    target = out or (run if run.is_dir() else run.parent) / "samples.png"
    _write(target, generator, samples, labels)
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


def _write(target: Path, generator: "TrainedGenerator", samples: "NDArray[Any]", labels: "Labels") -> None:
    import numpy as np

    target.parent.mkdir(parents=True, exist_ok=True)
    if target.suffix.lower() == ".npz":
        arrays: dict[str, Any] = {"images" if generator.is_image else "points": samples}
        np.savez_compressed(target, **arrays if labels is None else arrays | {"labels": labels})
    elif target.suffix.lower() == ".png":
        _picture(samples, generator).save(target)
    elif target.suffix:
        raise ValueError(f"{target} is none of FILE.png, FILE.npz or a folder")
    elif not generator.is_image:
        raise ValueError("points do not go into a folder of pictures: name FILE.npz or FILE.png")
    else:
        _write_folder(target, generator, samples, labels)


def _picture(samples: "NDArray[Any]", generator: "TrainedGenerator") -> "Image":
    import math

    from zerosum.pictures.mosaic import grid
    from zerosum.pictures.points import histogram, scatter

    if generator.is_image:
        columns = len(generator.classes) if 1 < len(generator.classes) <= 20 else math.isqrt(len(samples) - 1) + 1
        return grid(samples, columns=min(columns, len(samples)))
    return histogram(samples) if samples.shape[1] == 1 else scatter(samples)


def _write_folder(target: Path, generator: "TrainedGenerator", samples: "NDArray[Any]", labels: "Labels") -> None:
    from zerosum.pictures.mosaic import grid

    if target.exists() and any(target.iterdir()):
        raise ValueError(f"{target} is not empty: name a new folder, so that samples do not mix with other files")
    for index, picture in enumerate(samples):
        folder = target if labels is None else target / (*generator.classes, "none")[labels[index]]
        folder.mkdir(parents=True, exist_ok=True)
        grid(picture[None], columns=1, gap=0, scale=1).save(folder / f"{index:06d}.png")
