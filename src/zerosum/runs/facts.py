"""Validate the metadata of a generator in its file or a checkpoint, and the number of its samples."""

__all__ = ()

import math
from collections.abc import Callable, Mapping
from typing import Any

_MOST = 1 << 31  # elements of a sample
_LARGEST = (1 << 63) - 1  # seed
_MOST_SAMPLES = 100_000_000  # of one call


def check_facts(facts: Mapping[str, Any]) -> None:
    """Raise `ValueError` for the first fact of a generator that is missing or invalid."""
    checks: dict[str, tuple[Callable[[Any], bool], str]] = {
        "shape": (_is_shape, "the shape of a sample, 1 or 3 sizes"),
        "images": (lambda v: type(v) is int and v >= 0, "a count"),
    }
    if "generator" in facts:
        checks["generator"] = (lambda v: type(v) is str and v.isidentifier(), "a word")
    if "condition" in facts:
        checks["condition"] = (_is_condition, "the name of its kind and the facts of the kind")
    if "coding" in facts:
        checks["coding"] = (
            _is_coding,
            "the autoencoder of the latents, the alphabet of texts, or the dimensions of scaled points",
        )
    for name, (fits, wanted) in checks.items():
        if name not in facts or not fits(facts[name]):
            raise ValueError(f"its {name} should be {wanted}; found {facts.get(name)!a:.80}")


def check_at_most(most: int, given: Mapping[str, int]) -> None:
    """Raise `ValueError` for the first of some numbers, by name, that is above what anybody waits for."""
    for name, value in given.items():
        if value > most:
            raise ValueError(f"{name} should be at most {most:,}; found {value:,}")


def check_seed(seed: int) -> None:
    """Raise `ValueError` for a seed of more than 64 bits."""
    if not -_LARGEST <= seed <= _LARGEST:
        raise ValueError(f"seed is an integer of 64 bits; found {seed}")


def check_count(n: int) -> None:
    """Raise `ValueError` for a number of samples that one call does not generate."""
    if n < 1:
        raise ValueError(f"n should be at least 1; found {n}")
    if n > _MOST_SAMPLES:
        raise ValueError(f"n should be at most {_MOST_SAMPLES:,} in one call; found {n:,}")


def _all(value: Any, kind: type) -> bool:
    return isinstance(value, list | tuple) and all(type(item) is kind for item in value)


def _is_shape(value: Any) -> bool:
    return _all(value, int) and len(value) in (1, 3) and min(value) > 0 and math.prod(value) < _MOST


def _is_condition(value: Any) -> bool:
    """Whether it has a kind and facts; the kind checks the facts when it is restored."""
    if not isinstance(value, Mapping) or {*value} != {"kind", "facts"}:
        return False
    return isinstance(value["kind"], str) and isinstance(value["facts"], Mapping)


def _is_coding(value: Any) -> bool:
    if not isinstance(value, Mapping) or len(value) != 1:
        return False
    if "given" in value:
        return isinstance(value["given"], str)
    if "points" in value:
        return type(value["points"]) is int and value["points"] > 0
    if "text" in value:
        return isinstance(value["text"], str)
    built = value.get("autoencoder")
    if not isinstance(built, Mapping) or {*built} != {"shape", "size", "channels", "halvings"}:
        return False
    counts = [built[name] for name in ("size", "channels", "halvings")]
    return _is_shape(built["shape"]) and _all(counts, int) and min(counts) >= 0
