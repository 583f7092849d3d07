"""What a folder or zip says of its pictures, by subfolders or by a table beside them, a row a picture."""

import csv
import io
import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from zerosum.conditions.condition import shortened
from zerosum.data._paths import printable
from zerosum.data.conditions import Conditions, conditions_of, labelled
from zerosum.data.sources._files import Files, told
from zerosum.data.sources._labels import by_folder

TABLE = "conditions.csv"


@dataclass(frozen=True, eq=False)
class Beside:
    """What a folder or zip says of its images: their conditions, if any, and notes on what it holds."""

    conditions: Conditions | None
    notes: tuple[str, ...]


def beside(files: Files, named: str | None) -> Beside:
    """What is said of the pictures: by the table that is named, or `conditions.csv` at the top, or by subfolders.

    Folders that hold all pictures are passed over. Raises `ValueError` where the table named is not there or a table
    does not read, and where there are both subfolders and a table that was not named.
    """
    table = _found(files) if named is None else named
    others = tuple(name for name in files.others if name != table)
    left = (f"left out beside the images: {told(others)}",) if others else ()
    labels, classes, notes = by_folder(files.names)
    if table is None:
        return Beside(labelled(printable(files.path.name), labels, classes), notes + left)
    if named is None and labels is not None:
        raise ValueError(
            f"{files.path} has both subfolders, which are classes, and {table}: to play by the table, name it as "
            f"conditions={table!r}; to play by the classes, take it away"
        )
    conditions = _read(files, table)
    return Beside(conditions, left + conditions.notes)


def _found(files: Files) -> str | None:
    home = _home(files.names)
    above = [posixpath.join(*home[:depth], TABLE) for depth in range(len(home), -1, -1)]
    return next((name for name in above if name in files.others), None)


def _read(files: Files, table: str) -> Conditions:
    """Read a CSV table: a header `file,NAME,...`, then for each picture its path and its numbers.

    Paths are relative to the table, or to the folder that holds all pictures. Raises `ValueError` that names the line
    for anything else: pictures without a row or with two, files that are not there, cells that are no finite numbers.
    """
    if table not in files.others:
        tables = [name for name in files.others if name.lower().endswith(".csv")]
        raise ValueError(f"{files.path} holds no table {table!r}; it holds {shortened(tables) or 'no .csv file'}")
    path = files.path / table
    try:
        lines = _lines(files.read(table).decode("utf-8-sig"))
        header = [name.strip() for name in next(lines, (1, [""]))[1][1:]]
        if not header or not all(header):
            raise ValueError("should begin with a header, the word file and then a name for each column of numbers")
        rows = _rows(files, table, header, lines)
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no text in UTF-8: save it as such") from error
    except (ValueError, csv.Error) as error:
        raise ValueError(f"{path} {error}") from error
    missing = [name for name in files.names if name not in rows]
    if missing:
        raise ValueError(
            f"{path} has no row for {len(missing):,} of {len(files.names):,} images, first {printable(missing[0])}"
        )
    return conditions_of(table, np.array([rows[name] for name in files.names]), header)


def _rows(
    files: Files, table: str, header: Sequence[str], lines: Iterator[tuple[int, list[str]]]
) -> dict[str, list[float]]:
    """The numbers of each picture, by its name among the files."""
    homes = (posixpath.dirname(table), posixpath.join("", *_home(files.names)))
    there, found = frozenset(files.names), dict[str, list[float]]()
    for line, (cell, *cells) in lines:
        if len(cells) != len(header):
            raise ValueError(f"line {line} has {len(cells) + 1} cells, where the header has {len(header) + 1}")
        name = _resolved(cell, homes, there)
        if name is None:
            raise ValueError(f"line {line} names {cell!r}, and there is no such image")
        if name in found:
            raise ValueError(f"line {line} names {cell!r} for the second time")
        found[name] = [_number(line, column, text) for column, text in zip(header, cells, strict=True)]
    return found


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV text with the lines on which they end; empty ones are passed over."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    for row in reader:
        if row:
            yield reader.line_num, row


def _number(line: int, column: str, text: str) -> float:
    try:
        value = float("nan" if "_" in text else text)
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        raise ValueError(f"line {line} has {text!r} under {column}, where a finite number should be")
    return value


def _resolved(cell: str, homes: Sequence[str], there: frozenset[str]) -> str | None:
    """The image that a cell means, from the folders that its path may start in; None where there is none."""
    ways = dict.fromkeys((cell, cell.strip().replace("\\", "/")))
    tries = (posixpath.normpath(posixpath.join(home, way)) for way in ways for home in homes)
    return next((name for name in tries if name in there), None)


def _home(names: Sequence[str]) -> list[str]:
    """The folders, one in the other, that hold all of the names."""
    shared = posixpath.commonpath([posixpath.dirname(name) for name in names])
    return shared.split("/") if shared else []
