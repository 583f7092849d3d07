"""`zerosum walk`."""

from pathlib import Path
from typing import Annotated

import typer

from zerosum.cli._output import JsonFlag, echo, print_json
from zerosum.cli._use import known, using


@using
def walk(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder or generator.safetensors file.")],
    out: Annotated[
        Path | None,
        typer.Option(
            help="FILE.webp, FILE.gif or FILE.apng for a loop, FILE.png for a grid of its frames.",
            show_default="RUN/walk.webp",
        ),
    ] = None,
    points: Annotated[int, typer.Option(help="Random points that the path passes through.")] = 5,
    steps: Annotated[int, typer.Option(help="Frames from one point to the next.")] = 12,
    n: Annotated[int, typer.Option(help="Paths shown side by side.")] = 4,
    seed: Annotated[int, typer.Option(help="Random seed.")] = 0,
    classes: Annotated[
        list[str] | None, typer.Option("--class", help="Class name or number. Repeatable; cycled over paths.")
    ] = None,
    space: Annotated[
        str, typer.Option(help="z, w, layers or condition.", show_default="w where there is one, else z")
    ] = "",
    direction: Annotated[
        str | None, typer.Option(metavar="NAME", help="Go to and fro along a direction of the run instead.")
    ] = None,
    truncation: Annotated[float, typer.Option(help="Move points towards the mean: 1 leaves them, 0 is the mean.")] = 1,
    duration: Annotated[int, typer.Option(help="Milliseconds of a frame.")] = 60,
    as_json: JsonFlag = False,
) -> None:
    """Draw a walk through the latent space of a generator of images: a loop that ends where it began."""
    from zerosum._faults import explained_memory
    from zerosum.cli._films import check_film, write_film
    from zerosum.cli._walks import WalkOptions, walked
    from zerosum.latent.direction import load_direction
    from zerosum.runs.generator import load

    generator = load(run, known())
    target = out or (run if run.is_dir() else run.parent) / "walk.webp"
    check_film(target, duration, "a walk")
    options = WalkOptions(points, steps, n, seed, tuple(classes or ()), space, truncation)
    along = None if direction is None else load_direction(run, direction)
    with explained_memory("walks", "--n and --steps"):
        frames = walked(generator, options, along)
        write_film(target, frames, duration)
    if as_json:
        print_json({"out": target, "frames": len(frames), "shape": list(frames[0].shape)})
        return
    echo(f"wrote {len(frames)} frames to {target}", err=True)
