"""Scores with their errors and the protocol they were made by, as a value and as a JSON file."""

__all__ = ["Scores", "read_scores", "write_scores"]

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zerosum._disk import replace_durably

FORMAT = "zerosum scores 1"
_PARTS = ("scores", "errors", "protocol", "better")
_NEEDED = ("real.n", "real.content", "fake.n", "features.name", "shape")  # without which nothing can be compared


@dataclass(frozen=True)
class Scores:
    """What an evaluation gives.

    Attributes:
        values: the scores, by name.
        errors: the standard errors of those that have one.
        protocol: how they were made: plain texts and numbers by name.
        pairs: indices of generated and real samples that show a score; no file keeps them.
        better: which way each score is better: "lower", "higher" or, where neither is, "".
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
    """Write a file that `read_scores` takes back and `zerosum compare` sets beside others."""
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_durably(path, (json.dumps(scores.as_dict(), indent=1) + "\n").encode())


def read_scores(path: str | Path) -> Scores:
    """Read a file that `zerosum evaluate --out` wrote; raises `ValueError` for any other."""
    path = Path(path)
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"the scores {path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise ValueError(f"{path} does not read as a file of scores: {error}") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ValueError(
            f"{path} is no file of scores: it lacks {FORMAT!r}, with which `zerosum evaluate` marks its own"
        )
    parts: list[dict[str, Any]] = [found[name] for name in _PARTS if isinstance(found.get(name), dict)]
    numbers = [number for part in parts[:2] for number in part.values()]
    if len(parts) != len(_PARTS) or not all(isinstance(number, int | float) for number in numbers):
        raise ValueError(f"{path} is a damaged file of scores: it should hold tables of {', '.join(_PARTS)}")
    values, errors, protocol, better = parts
    missing = [key for key in _NEEDED if key not in protocol]
    if missing:
        raise ValueError(f"{path} is a damaged file of scores: its protocol does not tell {missing[0]}")
    return Scores(values, errors, protocol, better=better)


def shown(value: float, error: float | None = None) -> str:
    """Write a score for people, as many digits as its error allows: `12.3 ± 0.4`."""
    if error is None or not math.isfinite(error) or error == 0:
        return f"{value:.4g}"
    digits = max(0, 1 - math.floor(math.log10(error)))
    return f"{value:.{digits}f} ± {error:.{digits}f}"
