"""The conditions of a folder or zip of images: subfolders as classes, or a table with a row per image."""

import csv
import io
import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from zerosum.conditions.condition import shortened
from zerosum.data._paths import printable
from zerosum.data.conditions import MOST_COMPONENTS, Conditions, conditions_of, labelled
from zerosum.data.sources._files import Files, counted, passed_over
from zerosum.data.sources._labels import by_folder

TABLE = "conditions.csv"


@dataclass(frozen=True, eq=False)
class Beside:
    """The conditions of the images in a folder or zip, if any, and notes on its other files."""

    conditions: Conditions | None
    notes: tuple[str, ...]


def beside(files: Files, named: str | None) -> Beside:
    """The conditions of the images: from the named table, else from `conditions.csv` at the top, else from subfolders.

    Folders that contain all images are skipped. Raises `ValueError` when a table is missing or cannot be parsed, and
    with both subfolders and a table that was not named.
    """
    table = table_in(files, TABLE) if named is None else named
    others = tuple(name for name in files.others if name != table)
    left: tuple[str, ...] = (f"ignored {counted(others)} beside the images",) if others else ()
    left += (f"passed over {passed_over(files.written)}",) if files.written else ()
    labels, classes, notes = by_folder(files.names)
    if table is None:
        return Beside(labelled(printable(files.path.name), labels, classes), notes + left)
    if named is None and labels is not None:
        raise ValueError(
            f"{files.path} has both subfolders, which are classes, and {table}: to use the table, pass "
            f"conditions={table!r}; to use the classes, remove it"
        )
    conditions = _read(files, table)
    return Beside(conditions, left + conditions.notes)


def table_in(files: Files, table: str) -> str | None:
    """The table of that file name in the folder that contains all images, or above it; None if there is none."""
    folders = home(files.names)
    above = [posixpath.join(*folders[:depth], table) for depth in range(len(folders), -1, -1)]
    return next((name for name in above if name in files.others), None)


def _read(files: Files, table: str) -> Conditions:
    """Read a CSV table: a header `file,NAME,...`, then a row per image with its path and its numbers.

    Paths are relative to the table, or to the folder that contains all images. Raises `ValueError` that names the line
    for images without a row or with two, missing files, and cells that are not finite numbers.
    """
    if table not in files.others:
        tables = [name for name in files.others if name.lower().endswith(".csv")]
        instead = f"but has {shortened(tables)}" if tables else "nor any .csv file"
        raise ValueError(f"{files.path} has no table {table!r}, {instead}")
    path = files.path / table
    try:
        cells = lines(files.read(table).decode("utf-8-sig"))
        header = [name.strip() for name in next(cells, (1, [""]))[1][1:]]
        if len(header) > MOST_COMPONENTS:
            raise ValueError(f"has {len(header):,} columns of numbers, more than {MOST_COMPONENTS:,}: choose some")
        if not header or not all(header):
            raise ValueError("should begin with a header: the word file, then a name for each column of numbers")
        rows = _rows(files, table, header, cells)
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 text: save it as UTF-8") from error
    except (ValueError, csv.Error) as error:
        raise ValueError(f"{path} {error}") from error
    missing = [name for name in files.names if name not in rows]
    if missing:
        raise ValueError(
            f"{path} has no row for {len(missing):,} of {len(files.names):,} images, such as "
            f"{printable(missing[0])}: add the missing rows"
        )
    return conditions_of(table, np.array([rows[name] for name in files.names]), header)


def _rows(
    files: Files, table: str, header: Sequence[str], lines: Iterator[tuple[int, list[str]]]
) -> dict[str, list[float]]:
    """The numbers of each image, by file name."""
    homes = (posixpath.dirname(table), posixpath.join("", *home(files.names)))
    there, found = frozenset(files.names), dict[str, list[float]]()
    for line, (cell, *cells) in lines:
        if len(cells) != len(header):
            raise ValueError(f"line {line} has {len(cells) + 1} cells, where the header has {len(header) + 1}")
        name = resolved(cell, homes, there)
        if name is None:
            raise ValueError(f"line {line} names {cell!r}, but there is no such image")
        if name in found:
            raise ValueError(f"line {line} names {cell!r} a second time")
        found[name] = [_number(line, column, text) for column, text in zip(header, cells, strict=True)]
    return found


def lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV text with the numbers of their last lines; empty rows are skipped."""
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
        raise ValueError(f"line {line} has {text!r} under {column}, but should have a finite number")
    return value


def resolved(cell: str, homes: Sequence[str], there: frozenset[str]) -> str | None:
    """The image that a cell refers to, tried relative to each of `homes`; None if there is none."""
    ways = dict.fromkeys((cell, cell.strip().replace("\\", "/")))
    tries = (posixpath.normpath(posixpath.join(home, way)) for way in ways for home in homes)
    return next((name for name in tries if name in there), None)


def home(names: Sequence[str]) -> list[str]:
    """The nested folders that contain all of the names."""
    shared = posixpath.commonpath([posixpath.dirname(name) for name in names])
    return shared.split("/") if shared else []
