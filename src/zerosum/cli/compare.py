"""`zerosum compare`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zerosum.cli._output import JsonFlag, print_json

if TYPE_CHECKING:
    from zerosum.evaluation.compare import Comparison


def compare(
    results: Annotated[list[Path], typer.Argument(help="Files that `zerosum evaluate --out` wrote, two or more.")],
    as_json: JsonFlag = False,
) -> None:
    """Set scores side by side, with their errors, where they were made alike.

    Marked with * is the best of a row, and what cannot be told from it: within two standard errors of the difference.
    """
    from dataclasses import asdict

    from zerosum.evaluation.compare import compare as side_by_side
    from zerosum.evaluation.scores import read_scores

    repeated = [str(path) for path in results if results.count(path) > 1]
    if repeated:
        raise ValueError(f"{repeated[0]} is named twice: name each result once")
    found = side_by_side({str(path): read_scores(path) for path in results})
    if as_json:
        print_json(asdict(found))
        return
    for note in found.notes:
        typer.echo(note, err=True)
    typer.echo(_table(found))


def _table(found: "Comparison") -> str:
    """A row for each score, a column for each result."""
    from zerosum.evaluation.scores import shown

    rows = [["", *found.names]]
    for key, values in found.scores.items():
        told = []
        for name, value, error in zip(found.names, values, found.errors[key], strict=True):
            mark = " *" if name in found.best[key] else ""
            told.append("-" if value is None else shown(value, error) + mark)
        rows.append([key, *told])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
