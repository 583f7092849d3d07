"""What a generator's file, or a checkpoint, says of the generator beside its weights, checked."""

__all__ = ()

import math
from collections.abc import Callable, Mapping
from typing import Any

from zerosum.data.conditions import Columns

_MOST = 1 << 31  # numbers in a sample, and classes


def column_facts(columns: Columns | None) -> dict[str, Any]:
    """What a file says of the columns of a generator's conditions: nothing where there are none."""
    return {} if columns is None else {"columns": columns.facts()}


def check_facts(facts: Mapping[str, Any]) -> None:
    """Raise `ValueError` with the first fact of a generator that is missing or none, whoever wrote them."""
    checks: dict[str, tuple[Callable[[Any], bool], str]] = {
        "shape": (_is_shape, "the shape of a sample, 1 or 3 sizes"),
        "classes": (lambda v: _all(v, str), "a list of names"),
        "images": (lambda v: type(v) is int and v >= 0, "a count"),
    }
    if "generator" in facts:
        checks["generator"] = (lambda v: type(v) is str and v.isidentifier(), "a word")
    if "columns" in facts:
        checks["columns"] = (_are_columns, "names, means, deviations and rows of as many numbers")
    if "coding" in facts:
        checks["coding"] = (_is_coding, "how latents stand for pictures")
    for name, (fits, wanted) in checks.items():
        if name not in facts or not fits(facts[name]):
            raise ValueError(f"its {name} should be {wanted}; found {facts.get(name)!a:.80}")


def _all(value: Any, kind: type) -> bool:
    return isinstance(value, list | tuple) and all(type(item) is kind for item in value)


def _is_shape(value: Any) -> bool:
    return _all(value, int) and len(value) in (1, 3) and min(value) > 0 and math.prod(value) < _MOST


def _are_numbers(value: Any, count: int) -> bool:
    numbers = isinstance(value, list | tuple) and all(type(n) in (int, float) and math.isfinite(n) for n in value)
    return numbers and len(value) == count


def _are_columns(value: Any) -> bool:
    if not isinstance(value, Mapping) or {*value} != {"names", "attributes", "mean", "deviation", "rows"}:
        return False
    names, rows = value["names"], value["rows"]
    if not _all(names, str) or not names or len({*names}) != len(names) or type(value["attributes"]) is not bool:
        return False
    measured = all(_are_numbers(value[key], len(names)) for key in ("mean", "deviation"))
    held = isinstance(rows, list | tuple) and len(rows) > 0 and all(_are_numbers(row, len(names)) for row in rows)
    return measured and held and all(value["deviation"])


def _is_coding(value: Any) -> bool:
    if not isinstance(value, Mapping) or len(value) != 1:
        return False
    if "given" in value:
        return isinstance(value["given"], str)
    built = value.get("autoencoder")
    if not isinstance(built, Mapping) or {*built} != {"shape", "size", "channels", "halvings"}:
        return False
    counts = [built[name] for name in ("size", "channels", "halvings")]
    return _is_shape(built["shape"]) and _all(counts, int) and min(counts) >= 0
