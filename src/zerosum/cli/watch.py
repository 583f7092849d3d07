"""`zerosum watch`."""

from pathlib import Path
from typing import Annotated

import typer

from zerosum.cli._output import JsonFlag, echo, print_json
from zerosum.cli._use import known, using


@using
def watch(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run folder, finished or not; or two.")],
    out: Annotated[
        Path | None,
        typer.Option(
            help="FILE.webp, FILE.gif or FILE.apng for a film, FILE.png for a grid of its frames.",
            show_default="RUN/film.webp",
        ),
    ] = None,
    duration: Annotated[int, typer.Option(help="Milliseconds of a frame.")] = 200,
    as_json: JsonFlag = False,
) -> None:
    """Draw the film of a training run, or of two beside each other.

    Of points in one or two dimensions it shows data and samples, the discriminator beside the optimal one, the gradient
    of G's loss, the Jensen-Shannon divergence and the value of the game; of images, the sample grids.
    """
    from zerosum._faults import explained_memory
    from zerosum.cli._films import check_film, write_film
    from zerosum.cli._watched import HOLD, watched
    from zerosum.runs.run import Run

    target = out or runs[0] / "film.webp"
    check_film(target, duration, "a film")
    with explained_memory("films", "number of runs"):
        frames, columns = watched([Run(run, known()) for run in runs], sheet=target.suffix.lower() == ".png")
        write_film(target, frames, duration, columns, HOLD)
    if as_json:
        print_json({"out": target, "frames": len(frames), "shape": list(frames[0].shape)})
        return
    echo(f"wrote {len(frames)} frames to {target}", err=True)
