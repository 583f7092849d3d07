"""`zerosum edit`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from zerosum.cli._groups import grouped
from zerosum.cli._output import JsonFlag, echo, print_json
from zerosum.cli._use import known, using
from zerosum.cli._wanted import Wanted


@dataclass(frozen=True)
class _Sources:
    """What is edited in place of samples."""

    images: Annotated[
        list[Path] | None,
        typer.Option(
            "--image",
            metavar="FILE",
            help="Edit a real image, or those of a folder, instead of samples; or FILE.safetensors of zerosum invert. "
            "Repeatable.",
        ),
    ] = None
    tune: Annotated[
        bool, typer.Option("--tune", help="With --image: first tune a copy of the generator to the images.")
    ] = False
    strokes: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Complete a drawing: samples that agree with its pixels that are not transparent."
        ),
    ] = None


@using
@grouped
def edit(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder.")],
    sources: _Sources,
    wanted: Wanted,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--direction",
            metavar="NAME=STRENGTH",
            help="A direction of the run, and how many units to go along it. Repeatable.",
        ),
    ] = None,
    n: Annotated[int, typer.Option(help="Number of samples, or of proposals for a drawing.")] = 8,
    seed: Annotated[int, typer.Option(help="Random seed; sample i is that of zerosum sample.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option(
            help="FILE.png for a grid with the unedited images above, FILE.npz for arrays, else a folder.",
            show_default="RUN/edit.png",
        ),
    ] = None,
    best: Annotated[
        bool, typer.Option("--best", help="Use the generator with the best evaluation score instead of the last.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Move samples or real images along directions that `zerosum directions` found, or complete a drawing.

    Strengths are in units of a direction's card: with thickness=2, strokes get thicker by two standard deviations of
    the data. Several directions add up.
    """
    from zerosum._faults import explained_memory
    from zerosum.cli._edits import check_images, completions, edited, edited_images, write_edits
    from zerosum.cli._inversions import image_files
    from zerosum.cli._target import check_target
    from zerosum.runs.run import Run

    images, strokes = image_files(sources.images or []), sources.strokes
    if (images and strokes) or (sources.tune and not images) or not (changes or strokes):
        raise ValueError("edit takes --direction, with --image (and --tune) or without, or --strokes")
    opened, target = Run(run, known()), out or run / "edit.png"
    check_images(target)
    generator = opened.best if best else opened.generator
    lines: list[str] = []
    with explained_memory("edited samples", "--n"):
        check_target(target, generator, len(images) or n)
        if images:
            samples, lines = edited_images(opened, generator, changes or [], images, seed, wanted, sources.tune)
        elif strokes:
            samples, lines = completions(opened, generator, changes or [], strokes, (n, seed), wanted)
        else:
            samples = edited(opened, generator, changes or [], (n, seed), wanted)
        write_edits(target, generator, samples)
    if lines:
        echo(*lines, err=True)
    count = len(samples.after)
    if as_json:
        print_json({"out": target, "n": count, "seed": seed, "shape": [*samples.after.shape]})
        return
    echo(f"wrote {count} edited samples to {target}", err=True)
