"""`zerosum edit`."""

from pathlib import Path
from typing import Annotated

import typer

from zerosum.cli._output import JsonFlag, echo, print_json
from zerosum.cli._use import known, using


@using
def edit(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder.")],
    changes: Annotated[
        list[str],
        typer.Option(
            "--direction",
            metavar="NAME=STRENGTH",
            help="A direction of the run, and how many units to go along it. Repeatable.",
        ),
    ],
    n: Annotated[int, typer.Option(help="Number of samples.")] = 8,
    seed: Annotated[int, typer.Option(help="Random seed; sample i is that of zerosum sample.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option(
            help="FILE.png for a grid with the unedited samples above, FILE.npz for arrays, else a folder.",
            show_default="RUN/edit.png",
        ),
    ] = None,
    classes: Annotated[
        list[str] | None, typer.Option("--class", help="Class name or number. Repeatable; cycled over samples.")
    ] = None,
    conditions: Annotated[
        list[str] | None,
        typer.Option("--condition", "--prompt", metavar="NAME=VALUE", help="As of zerosum sample. Repeatable."),
    ] = None,
    best: Annotated[
        bool, typer.Option("--best", help="Use the generator with the best evaluation score instead of the last.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Move samples along directions that `zerosum directions` found.

    Strengths are in units of a direction's card: with thickness=2, strokes get thicker by two standard deviations of
    the data. Several directions add up.
    """
    from zerosum._faults import explained_memory
    from zerosum.cli._edits import edited, write_edits
    from zerosum.runs.run import Run

    opened = Run(run, known())
    generator = opened.best if best else opened.generator
    target = out or run / "edit.png"
    with explained_memory("edited samples", "--n"):
        samples = edited(opened, generator, changes, (n, seed), classes, conditions)
        write_edits(target, generator, samples)
    if as_json:
        print_json({"out": target, "n": n, "seed": seed, "shape": [*samples.after.shape]})
        return
    echo(f"wrote {n} edited samples to {target}", err=True)
