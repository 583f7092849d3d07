"""`zerosum report`."""

from pathlib import Path
from typing import Annotated

import typer

from zerosum.cli._output import JsonFlag, print_json
from zerosum.cli._use import known, using


@using
def report(
    run: Annotated[Path, typer.Argument(help="A run folder, finished or not.")], as_json: JsonFlag = False
) -> None:
    """Write RUN/report.html anew: curves, samples over time, nearest training images, scores, the recipe."""
    from zerosum.report.write import write_report
    from zerosum.runs.run import Run

    path = write_report(Run(run, known()))
    print_json({"report": path}) if as_json else typer.echo(f"wrote {path}", err=True)
