"""Rows of the table of `benchmarks.gpu`: each process prints one in a line of JSON as soon as it is measured."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

HEAD = ("what", "result", "images/s", "GB")


@dataclass(frozen=True)
class Row:
    """A measurement.

    Attributes:
        what: was measured, in words.
        result: of it, in words.
        images_per_second: real images per second; None where it is no question of speed.
        gigabytes: peak memory; None where it was not measured.
    """

    what: str
    result: str = ""
    images_per_second: float | None = None
    gigabytes: float | None = None

    def print(self) -> None:
        """Print it as JSON, at once."""
        print(json.dumps(asdict(self)), flush=True)


def rows_in(text: str) -> list[Row]:
    """The rows that a process printed; its last line may have been cut off, and others be no rows."""
    found = []
    for line in text.splitlines(keepends=True):
        if line.startswith('{"what": ') and line.endswith("}\n"):
            found.append(Row(**json.loads(line)))
    return found


def table(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table."""
    lines = [f"| {' | '.join(line)} |" for line in (HEAD, ("---",) * len(HEAD))]
    for row in rows:
        numbers = (_digits(number) for number in (row.images_per_second, row.gigabytes))
        lines.append(f"| {' | '.join((row.what, row.result, *numbers))} |")
    return "\n".join(lines)


def _digits(number: float | None) -> str:
    """Format with three significant digits, or all digits before the point."""
    if number is None:
        return ""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"
