"""`zerosum sample`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zerosum.cli._output import JsonFlag, echo, print_json
from zerosum.cli._use import known, using

if TYPE_CHECKING:
    from zerosum.runs.generator import TrainedGenerator


@using
def sample(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder or generator.safetensors file.")],
    n: Annotated[int, typer.Option(help="Number of samples.")] = 100,
    seed: Annotated[int, typer.Option(help="Random seed. Sample i does not depend on n.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option(
            help="FILE.png for an image grid, FILE.npz for arrays, FILE.txt for texts, else a folder of PNG files.",
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
            "--prompt",
            metavar="NAME=VALUE",
            help="Value of a condition's component (repeatable), a caption (repeatable; cycled over samples), FILE.npy "
            "of whole conditions (cycled), or none for models with label dropout.",
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
    or `conditions` for conditional models. A folder contains a subfolder per class, or a table as --data reads it.
    """
    from zerosum._faults import explained_memory
    from zerosum.cli._target import check_target

    generator = _loaded(run, best, name)
    target = out or (run if run.is_dir() else run.parent) / "samples.png"
    with explained_memory(f"samples of {generator.recipe.name}", "--n, or write them to a folder or FILE.npz"):
        check_target(target, generator, n)
        labels = [classes[i % len(classes)] for i in range(n)] if classes else None
        wanted = _wanted(generator, conditions, n) if conditions else None
        shape = _written(target, generator, n, seed, labels, wanted)
    if as_json:
        print_json({"out": target, "n": n, "seed": seed, "shape": list(shape), "images": generator.images})
        return
    echo(f"wrote {n} samples to {target}", err=True)


def _written(
    target: Path, generator: "TrainedGenerator", n: int, seed: int, labels: list[str] | None, wanted: Any
) -> tuple[int, ...]:
    from zerosum.cli._samples import write_samples, write_texts
    from zerosum.runs.texts import text_batches

    values = generator.conditions(n, wanted) if labels is None else generator.labels(n, labels)
    if target.suffix.lower() == ".txt":
        return write_texts(target, n, text_batches(generator, n, seed))
    return write_samples(target, generator, n, generator.sample_batches(n, seed, labels, wanted), values)


def _loaded(run: Path, best: bool, name: str) -> "TrainedGenerator":
    from zerosum.game.trainable import MAIN
    from zerosum.runs.generator import load
    from zerosum.runs.run import Run

    if best and name != MAIN:
        raise ValueError(
            f"--best keeps the generator called {MAIN!r}; found --generator {name}: leave one of the two out"
        )
    return Run(run, known()).best if best else load(run, known(), generator=name)


def _wanted(generator: "TrainedGenerator", conditions: list[str], n: int) -> Any:
    if generator.condition is None:
        raise ValueError(f"this {generator.recipe.name} generator has no conditions: it was trained without any")
    return generator.condition.parse(conditions, n)
