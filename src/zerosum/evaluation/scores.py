"""Scores with their errors and the protocol they were made by, as a value and as a JSON file."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FORMAT = "zerosum scores 1"


@dataclass(frozen=True)
class Scores:
    """What an evaluation gives.

    Attributes:
        values: the scores, by name.
        errors: the standard errors of those that have one.
        protocol: how they were made: plain texts and numbers by name.
    """

    values: Mapping[str, float]
    errors: Mapping[str, float] = field(default_factory=dict)
    protocol: Mapping[str, str | int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The content of a score file."""
        return {
            "format": FORMAT,
            "scores": dict(self.values),
            "errors": dict(self.errors),
            "protocol": dict(self.protocol),
        }


def read_scores(path: str | Path) -> Scores:
    """Read a file that `zerosum evaluate --out` wrote; raises `ValueError` for any other."""
    path = Path(path)
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} does not read as a file of scores: {error}") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ValueError(f"{path} is no file of scores: it lacks {FORMAT!r}, with which `zerosum evaluate` marks its own")
    parts = [found.get(name) for name in ("scores", "errors", "protocol")]
    numbers = [*parts[0].values(), *parts[1].values()] if all(isinstance(part, dict) for part in parts) else [None]
    if not all(isinstance(number, int | float) for number in numbers):
        raise ValueError(f"{path} is a damaged file of scores: its scores, errors and protocol should be tables")
    return Scores(*parts)


def shown(value: float, error: float | None = None) -> str:
    """Write a score for people, as many digits as its error allows: `12.3 ± 0.4`."""
    if error is None or not math.isfinite(error) or error == 0:
        return f"{value:.4g}"
    digits = max(0, 1 - math.floor(math.log10(error)))
    return f"{value:.{digits}f} ± {error:.{digits}f}"
