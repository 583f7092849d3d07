"""JSON from files that anybody may have written."""

import json
from typing import Any

MOST = 64 << 20  # bytes of a JSON file that is read; numbers of a checkpoint with many conditions take about a megabyte


def read_json(name: str, text: str | bytes) -> Any:
    """What JSON holds; raises `ValueError` for what is none, is nested without end, or has NaN or a key given twice."""
    try:
        return json.loads(text, parse_constant=_refused, object_pairs_hook=_each_once)
    except RecursionError:
        raise ValueError(f"{name} is nested without end") from None
    except ValueError as error:
        raise ValueError(f"{name} does not read as JSON ({error!s:.100})") from None


def _refused(word: str) -> None:
    raise ValueError(f"{word} is no number in JSON")


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is given twice")
    return found
