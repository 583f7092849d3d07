"""`zerosum compare`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zerosum.cli._output import JsonFlag, echo, print_json

if TYPE_CHECKING:
    from zerosum.evaluation.compare import Comparison


def compare(
    results: Annotated[
        list[Path],
        typer.Argument(metavar="RESULT", help="Two or more result files written by `zerosum evaluate --out`."),
    ],
    as_json: JsonFlag = False,
) -> None:
    """Compare results computed with the same protocol.

    * marks the best value and those within 2 standard errors of it.
    """
    from dataclasses import asdict

    from zerosum.evaluation.compare import compare as compare_scores
    from zerosum.evaluation.scores import read_scores

    repeated = [str(path) for path in results if results.count(path) > 1]
    if repeated:
        raise ValueError(f"{repeated[0]} is named twice: name each result once")
    found = compare_scores({str(path): read_scores(path) for path in results})
    if as_json:
        print_json(asdict(found))
        return
    for note in found.notes:
        echo(note, err=True)
    echo(*_table(found))


def _table(found: "Comparison") -> list[str]:
    """The lines of a table with a row per score and a column per result."""
    from zerosum._text import printable
    from zerosum.evaluation.scores import format_score

    rows = [["", *map(printable, found.names)]]
    for key, values in found.scores.items():
        cells = []
        for name, value, error in zip(found.names, values, found.errors[key], strict=True):
            mark = " *" if name in found.best[key] else ""
            cells.append("-" if value is None else format_score(value, error) + mark)
        rows.append([printable(key), *cells])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
