"""The table of the gallery, from the results of its runs."""

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from zerosum.recipes.named_recipes import about, catalogue

BEGIN, END = "<!-- written by benchmarks.quality.gallery -->", "<!-- as far as here -->"
COMMON = ("recipe", "images", "processor s", "clock s", "stated")
Result = Mapping[str, Any]
Cells = tuple[str, ...]


def write_table(path: Path, results: Mapping[str, Result], marks: Mapping[str, str], pictures: Path) -> None:
    """Write the tables and pictures into the page, between its two marks; the prose around them stays.

    Args:
        path: the page.
        results: of each recipe, by name.
        marks: what the present recipes are told by; a result of another mark is one of an earlier form.
        pictures: the folder of pictures; those that are there are shown.

    Raises:
        ValueError: where the page lacks the marks.
    """
    page = path.read_text(encoding="utf-8")
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{path} should hold the lines {BEGIN} and {END}, between which its tables are written")
    body = "\n\n".join(filter(None, (*tables(results, marks), shown(results, pictures, path.parent))))
    path.write_text(f"{before}{BEGIN}\n\n{body}\n\n{END}{after}", encoding="utf-8")


def tables(results: Mapping[str, Result], marks: Mapping[str, str]) -> list[str]:
    """Return a table for each kind of reading, and what has to be known of its figures."""
    parts = []
    for kind, (title, columns, cells) in KINDS.items():
        rows = {name: result for name, result in sorted(results.items()) if result["kind"] == kind}
        if not rows:
            continue
        body = [common(name, result, marks.get(name)) + cells(result) for name, result in rows.items()]
        if kind == "digits":
            body += real_digits(rows)
        head = (*COMMON, *columns)
        lines = [f"| {' | '.join(line)} |" for line in (head, ("---",) * len(head), *body)]
        parts += [f"## {title}", "\n".join(lines), *notes(rows)]
    if any(result.get("mark") != marks.get(name) for name, result in results.items()):
        again = "`python -m benchmarks.quality.gallery NAME` measures it."
        parts.append(f"\\* An earlier form of the recipe, or another bench: {again}")
    if results:
        parts.append(f"Machine: {told_apart({name: result['machine'] for name, result in results.items()})}.")
    return parts


def common(name: str, result: Result, mark: str | None) -> Cells:
    """Return the cells that every row begins with."""
    star = "" if result.get("mark") == mark else " \\*"
    seconds = ("" if result[key] is None else f"{result[key]:.0f}" for key in ("cpu_seconds", "seconds"))
    return f"`{name}`{star}", f"{result['images']:,}", *seconds, stated(name)


def stated(name: str) -> str:
    """Return the time that a recipe's docstring states: what stands after a semicolon in its first line."""
    make = catalogue().get(name)
    found = re.search(r"; ((?:under )?[\d.]+ (?:s|minutes?|hours?)\b[^.;]*)", about(make).line if make else "")
    return found[1] if found else ""


def digits(result: Result) -> Cells:
    """Return the cells of digits under the judge."""
    right = "" if result["right"] is None else f"{result['right']:.1%}"
    return f"{result['confident']:.1%}", right, str(result["present"]), f"{result['fid']:.1f}"


def modes(result: Result) -> Cells:
    """Return the cells of a law of many modes."""
    quality, kl = f"{result['high_quality']:.1%}", f"{result['kl']:.4f}"
    return f"{result['samples']:,}", f"{result['found']:,}/{result['modes']:,}", quality, kl


def line(result: Result) -> Cells:
    """Return the cells of a law on the line; 95 of 100 perfect samplers stay below 1.358 / sqrt(N)."""
    return f"{result['samples']:,}", f"{result['ks']:.4f}", f"{1.358 / result['samples'] ** 0.5:.4f}"


def other(result: Result) -> Cells:
    """Return the cell of whatever the run itself measured."""
    words = (f"{name.replace('_', ' ')} {value:.4g}" for name, value in result["scores"].items())
    return (", ".join(words),)


KINDS: dict[str, tuple[str, Cells, Callable[[Result], Cells]]] = {
    "digits": ("Digits", ("confident", "right", "present", "FID"), digits),
    "modes": ("Modes", ("samples", "modes", "high quality", "KL"), modes),
    "line": ("On the line", ("samples", "KS distance", "of a perfect sampler, at most"), line),
    "other": ("Others", ("by the run itself",), other),
}


def real_digits(rows: Mapping[str, Result]) -> list[Cells]:
    """Return a row for each judge, with what it makes of real digits."""
    judges = {judge["fingerprint"]: judge for row in rows.values() if (judge := row.get("judge"))}
    return [
        (f"*real digits* ({judge['data']}, judge {mark})", "", "", "", "", *digits(judge["real"]))
        for mark, judge in judges.items()
    ]


def notes(rows: Mapping[str, Result]) -> list[str]:
    """Return sentences on who read the rows, and on codes that were to be read off the samples."""
    told = []
    judges = {name: row["judge"] for name, row in rows.items() if row.get("judge")}
    if judges:
        names = {name: f"{judge['fingerprint']} of {judge['data']}" for name, judge in judges.items()}
        told.append(f"Judge: {told_apart(names)}.")
    for name, row in rows.items():
        if code := row.get("code"):
            told.append(
                f"`{name}`: {code['pure']:.1%} of samples are read as the commonest digit of their code; the codes "
                f"stand for {code['digits']} digits."
            )
        if row.get("note"):
            told.append(f"`{name}`: {row['note']}")
    return told


def told_apart(values: Mapping[str, str]) -> str:
    """Return the value that all share, or each with the names of those that have it; the commonest alone goes bare."""
    by_value: dict[str, list[str]] = {}
    for name, value in values.items():
        by_value.setdefault(value, []).append(name)
    commonest, *rest = sorted(by_value, key=lambda value: -len(by_value[value]))
    return "; ".join([commonest, *(f"{value} ({', '.join(by_value[value])})" for value in rest)])


def shown(results: Mapping[str, Result], pictures: Path, beside: Path) -> str:
    """Return the pictures that are there, with what each recipe says of itself."""
    parts = []
    for name in sorted(results):
        file = pictures / f"{name}.png"
        make = catalogue().get(name)
        if file.is_file() and make is not None:
            parts.append(
                f"### {name}\n\n{about(make).line}\n\n![{name}]({Path(os.path.relpath(file, beside)).as_posix()})"
            )
    return "\n\n".join(["## Pictures", *parts]) if parts else ""
