"""JSON from untrusted files."""

__all__ = ()

from pathlib import Path
from typing import Any

from zerosum._disk import read_foreign
from zerosum._json import read_json

MOST = 64 << 20  # maximum bytes of a JSON file; numbers of a checkpoint with many conditions take about a megabyte


def read_table(path: Path) -> dict[str, Any]:
    """The values by name of an untrusted JSON file: numbers, strings, and tables of numbers.

    Raises `ValueError` for anything else, and `OSError` when the file cannot be read.
    """
    found = read_json(path.name, read_foreign(path, MOST))
    if not isinstance(found, dict):
        raise ValueError(f"{path} should be a JSON object, {{...}}; found {found!a:.80}")
    for name, value in found.items():
        table = value.values() if isinstance(value, dict) else ()
        if not (is_number(value) or isinstance(value, str | dict) or value is None) or not all(map(is_number, table)):
            wanted = "a number, a string or a table of numbers"
            raise ValueError(f"{path} should have {wanted} for {name!a:.80}; found {value!a:.80}")
    return found


def is_number(value: object) -> bool:
    """Whether a value is a number that fits a float; NaN and infinities included."""
    if type(value) is int:
        return value.bit_length() < 1024
    return type(value) is float


def is_count(value: object) -> bool:
    """Whether a value is an integer from 0 to 2^63 - 1."""
    return type(value) is int and 0 <= value < 1 << 63
