"""JSON that anybody may have written."""

import json
from typing import Any


def read_json(name: str, text: str | bytes, finite: bool = True) -> Any:
    """Parse JSON.

    Raises `ValueError` when it is invalid, nested too deep, or has duplicate keys or, with `finite`, NaN or infinities.
    """
    try:
        return json.loads(text, parse_constant=_refused if finite else None, object_pairs_hook=_each_once)
    except RecursionError:
        raise ValueError(f"{name} is nested too deep") from None
    except ValueError as error:
        raise ValueError(f"{name} is not valid JSON ({error!s:.100})") from None


def _refused(word: str) -> None:
    raise ValueError(f"{word} is not a number in JSON")


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("it has a duplicate key")
    return found
