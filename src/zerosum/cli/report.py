"""`zerosum report`."""

from pathlib import Path
from typing import Annotated

import typer

from zerosum.cli._output import JsonFlag, echo, print_json
from zerosum.cli._use import known, using


@using
def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder, finished or not.")], as_json: JsonFlag = False
) -> None:
    """Write the report of a run, RUN/report.html.

    It shows curves, samples over time, nearest training images, scores and the recipe.
    """
    from zerosum.report.write import write_report
    from zerosum.runs.run import Run

    path = write_report(Run(run, known()))
    print_json({"report": path}) if as_json else echo(f"wrote {path}", err=True)
