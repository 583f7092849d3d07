"""Scores with standard errors and their evaluation protocol, as a value and as a JSON file."""

__all__ = ["Scores", "read_scores", "write_scores"]

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zerosum._disk import read_text, replace_durably
from zerosum._json import read_json
from zerosum._paths import user_path
from zerosum.runs.plain_json import MOST, is_number

FORMAT = "zerosum scores 1"
_PARTS = ("scores", "errors", "protocol", "better")
_NEEDED = ("real.n", "real.content", "fake.n", "features.name", "shape")  # required for a comparison


@dataclass(frozen=True)
class Scores:
    """The result of an evaluation.

    Attributes:
        values: the scores, by name.
        errors: standard errors, of the scores that have one.
        protocol: how the scores were computed: texts and numbers by name.
        pairs: indices of generated and real samples that illustrate a score; not saved in files.
        better: the better direction of each score: "lower", "higher" or "" for neither.
    """

    values: Mapping[str, float]
    errors: Mapping[str, float] = field(default_factory=dict)
    protocol: Mapping[str, str | int] = field(default_factory=dict)
    pairs: tuple[tuple[int, int], ...] = ()
    better: Mapping[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The content of a score file."""
        tables = (self.values, self.errors, self.protocol, self.better)
        return {"format": FORMAT, **{name: dict(table) for name, table in zip(_PARTS, tables, strict=True)}}


def write_scores(path: Path, scores: Scores) -> None:
    """Write a score file for `read_scores` and `zerosum compare`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_durably(path, (json.dumps(scores.as_dict(), indent=1) + "\n").encode())


def read_scores(path: str | Path) -> Scores:
    """Read a score file of `zerosum evaluate --out`; raises `ValueError` for any other file."""
    path = user_path(path)
    try:
        found = read_json("its text", read_text(path.resolve(), MOST), finite=False)
    except OSError as error:
        raise ValueError(f"the score file {path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise ValueError(f"{path} is not a score file: {error}") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ValueError(
            f"{path} is not a score file: expected the format {FORMAT!r}, as `zerosum evaluate --out` writes it"
        )
    parts: list[dict[str, Any]] = [found[name] for name in _PARTS if isinstance(found.get(name), dict)]
    numbers = [number for part in parts[:2] for number in part.values()]
    if len(parts) != len(_PARTS) or not all(map(is_number, numbers)):
        raise ValueError(f"{path} is a damaged score file: it should contain the tables {', '.join(_PARTS)}")
    values, errors, protocol, better = parts
    if not all(isinstance(one, str | int) for one in (*protocol.values(), *better.values())):
        raise ValueError(f"{path} is a damaged score file: its protocol and directions should be texts and numbers")
    missing = [key for key in _NEEDED if key not in protocol]
    if missing:
        raise ValueError(f"{path} is a damaged score file: its protocol lacks {missing[0]}")
    return Scores(values, errors, protocol, better=better)


def format_score(value: float, error: float | None = None) -> str:
    """Format a score with as many digits as its standard error allows: `12.3 ± 0.4`."""
    if error is None or not math.isfinite(error) or error == 0:
        return f"{value:.4g}"
    digits = max(0, 1 - math.floor(math.log10(error)))
    return f"{value:.{digits}f} ± {error:.{digits}f}"
