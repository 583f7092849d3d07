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


def write_table(path: Path, results: Mapping[str, Result], marks: Mapping[str, str], images: Path) -> None:
    """Write tables and images into the page, between its two marks; the text around them is kept.

    Args:
        path: the page.
        results: of each recipe, by name.
        marks: identifies the current recipes; a result with another mark is of an earlier version.
        images: the folder of images; those that exist are included.

    Raises:
        ValueError: if the page lacks the marks.
    """
    page = path.read_text(encoding="utf-8")
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{path} should hold the lines {BEGIN} and {END}, between which its tables are written")
    body = "\n\n".join(filter(None, (*tables(results, marks), shown(results, images, path.parent))))
    path.write_text(f"{before}{BEGIN}\n\n{body}\n\n{END}{after}", encoding="utf-8")


def tables(results: Mapping[str, Result], marks: Mapping[str, str]) -> list[str]:
    """Return a table for each kind of result, with notes."""
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
        parts.append(f"\\* Of an earlier version of the recipe or of the benchmark: {again}")
    if results:
        parts.append(f"Machine: {grouped({name: result['machine'] for name, result in results.items()})}.")
    return parts


def common(name: str, result: Result, mark: str | None) -> Cells:
    """Return the first cells of a row."""
    star = "" if result.get("mark") == mark else " \\*"
    seconds = ("" if result[key] is None else f"{result[key]:.0f}" for key in ("cpu_seconds", "seconds"))
    return f"`{name}`{star}", f"{result['images']:,}", *seconds, stated(name)


def stated(name: str) -> str:
    """Return the time that a recipe's docstring states after a semicolon in its first line."""
    make = catalogue().get(name)
    found = re.search(r"; ((?:under )?[\d.]+ (?:s|minutes?|hours?)\b[^.;]*)", about(make).line if make else "")
    return found[1] if found else ""


def digits(result: Result) -> Cells:
    """Return the cells of digits."""
    right = "" if result["right"] is None else f"{result['right']:.1%}"
    return f"{result['confident']:.1%}", right, str(result["present"]), f"{result['fid']:.1f}"


def modes(result: Result) -> Cells:
    """Return the cells of a distribution with many modes."""
    quality, kl = f"{result['high_quality']:.1%}", f"{result['kl']:.4f}"
    return f"{result['samples']:,}", f"{result['found']:,}/{result['modes']:,}", quality, kl


def line(result: Result) -> Cells:
    """Return the cells of a distribution on the line; 95 % of perfect samplers are below 1.358 / sqrt(N)."""
    return f"{result['samples']:,}", f"{result['ks']:.4f}", f"{1.358 / result['samples'] ** 0.5:.4f}"


def other(result: Result) -> Cells:
    """Return the cell of the run's own scores."""
    words = (f"{name.replace('_', ' ')} {value:.4g}" for name, value in result["scores"].items())
    return (", ".join(words),)


KINDS: dict[str, tuple[str, Cells, Callable[[Result], Cells]]] = {
    "digits": ("Digits", ("confident", "right", "present", "FID"), digits),
    "modes": ("Modes", ("samples", "modes", "high quality", "KL"), modes),
    "line": ("On the line", ("samples", "KS distance", "of a perfect sampler, at most"), line),
    "other": ("Others", ("by the run itself",), other),
}


def real_digits(rows: Mapping[str, Result]) -> list[Cells]:
    """Return a row for each classifier, with its scores of real digits."""
    classifiers = {one["fingerprint"]: one for row in rows.values() if (one := row.get("judge"))}
    return [
        (f"*real digits* ({one['data']}, classifier {mark})", "", "", "", "", *digits(one["real"]))
        for mark, one in classifiers.items()
    ]


def notes(rows: Mapping[str, Result]) -> list[str]:
    """Return sentences on the classifiers and on the latent codes."""
    found = []
    classifiers = {name: row["judge"] for name, row in rows.items() if row.get("judge")}
    if classifiers:
        names = {name: f"{one['fingerprint']} of {one['data']}" for name, one in classifiers.items()}
        found.append(f"Classifier: {grouped(names)}.")
    for name, row in rows.items():
        if code := row.get("code"):
            found.append(
                f"`{name}`: {code['pure']:.1%} of samples are predicted as the most frequent digit of their code; the "
                f"codes have {code['digits']} different main digits."
            )
        if row.get("note"):
            found.append(f"`{name}`: {row['note']}")
    return found


def grouped(values: Mapping[str, str]) -> str:
    """Return the common value, or each value with its names; the most frequent one is without names."""
    by_value: dict[str, list[str]] = {}
    for name, value in values.items():
        by_value.setdefault(value, []).append(name)
    first, *rest = sorted(by_value, key=lambda value: -len(by_value[value]))
    return "; ".join([first, *(f"{value} ({', '.join(by_value[value])})" for value in rest)])


def shown(results: Mapping[str, Result], images: Path, beside: Path) -> str:
    """Return the existing images, with the first line of each recipe's docstring."""
    parts = []
    for name in sorted(results):
        file = images / f"{name}.png"
        make = catalogue().get(name)
        if file.is_file() and make is not None:
            parts.append(
                f"### {name}\n\n{about(make).line}\n\n![{name}]({Path(os.path.relpath(file, beside)).as_posix()})"
            )
    return "\n\n".join(["## Images", *parts]) if parts else ""
