"""Comparison of results that were computed with the same protocol."""

__all__ = ["Comparison", "compare"]

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from zerosum.evaluation.measure import HIGHER, LOWER
from zerosum.evaluation.scores import Scores

# Keys of the protocol that must be equal, besides those of features and of metrics that both have.
_MUST_AGREE = ("real.n", "real.content", "fake.n", "held_out.n", "held_out.content", "shape")
_MAY_DIFFER = ("real", "real.", "fake", "fake.", "held_out", "held_out.", "seed")  # may differ without a note
BEYOND = 2.0  # standard errors of the difference beyond which two scores differ


@dataclass(frozen=True)
class Comparison:
    """A comparison of results.

    Attributes:
        names: of the results.
        scores: for each score, the value in each result; None if missing.
        errors: for each score, the standard error in each result; None if missing.
        best: for each score, the names of the best result and of those within two standard errors of the difference;
            empty for scores without a better direction. Nothing is worse than the best if an error is unknown.
        notes: messages on differences of the protocols that do not affect scores.
    """

    names: tuple[str, ...]
    scores: Mapping[str, tuple[float | None, ...]]
    errors: Mapping[str, tuple[float | None, ...]]
    best: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...]


def compare(results: Mapping[str, Scores]) -> Comparison:
    """Compare results, given by name.

    Raises `ValueError` for fewer than two results, for results without a common score, and for different protocols:
    other real samples, other numbers of samples, another feature extractor or other metric settings.
    """
    if len(results) < 2:
        raise ValueError(f"a comparison needs at least two results; found {len(results)}")
    names = tuple(results)
    _check_protocols(results)
    keys = list(dict.fromkeys(key for one in results.values() for key in one.values))
    if not any(all(key in one.values for one in results.values()) for key in keys):
        raise ValueError(f"{' and '.join(names)} have no score in common")
    scores = {key: tuple(one.values.get(key) for one in results.values()) for key in keys}
    errors = {key: tuple(one.errors.get(key) for one in results.values()) for key in keys}
    best = {key: tuple(names[i] for i in _best(scores[key], errors[key], _direction(key, results))) for key in keys}
    unknown = [key for key in keys if len(best[key]) > 1 and _lacks_error(scores[key], errors[key])]
    notes = [f"the standard error of {key} is unknown, so none of its values counts as worse" for key in unknown]
    return Comparison(names, scores, errors, best, (*_notes(results), *notes))


def _check_protocols(results: Mapping[str, Scores]) -> None:
    unlike = {key: values for key, values in _differing(results).items() if _must_agree(key, values)}
    if unlike:
        differences = "; ".join(_difference(key, values) for key, values in unlike.items())
        raise ValueError(f"results are not comparable: protocols differ in {differences}")


def _notes(results: Mapping[str, Scores]) -> list[str]:
    rest = {key: values for key, values in _differing(results).items() if not _must_agree(key, values)}
    quiet = ("metric.", *(one for one in _MAY_DIFFER if one.endswith(".")))
    return [
        f"protocols differ in {_difference(key, rest[key])}"
        for key in rest
        if key not in _MAY_DIFFER and not key.startswith(quiet)
    ]


def _must_agree(key: str, values: Mapping[str, str | int | None]) -> bool:
    if key.startswith(("metric.", "held_out.")) and None in values.values():
        return False  # a score that one result lacks is not compared
    return key in _MUST_AGREE or key.startswith(("features.", "metric."))


def _difference(key: str, values: Mapping[str, str | int | None]) -> str:
    return f"{key}: {' and '.join(f'{value} in {name}' for name, value in values.items())}"


def _differing(results: Mapping[str, Scores]) -> dict[str, dict[str, str | int | None]]:
    """The differing keys of the protocols with the value in each result; None if missing."""
    keys = dict.fromkeys(key for one in results.values() for key in one.protocol)
    found = {key: {name: one.protocol.get(key) for name, one in results.items()} for key in keys}
    return {key: values for key, values in found.items() if len(set(values.values())) > 1}


def _direction(key: str, results: Mapping[str, Scores]) -> str:
    """The better direction of a score, from the results; raises `ValueError` if they disagree."""
    directions = {name: one.better[key] for name, one in results.items() if key in one.better}
    if len({*directions.values()}) > 1:
        listed = " and ".join(f"{way or 'neither'} in {name}" for name, way in directions.items())
        raise ValueError(f"results are not comparable: the better direction of {key} is {listed}")
    return next(iter(directions.values()), "")


def _best(values: Sequence[float | None], errors: Sequence[float | None], direction: str) -> list[int]:
    """Indices of the best value and of those that do not differ from it significantly."""
    there = [i for i, value in enumerate(values) if value is not None and math.isfinite(value)]
    if direction not in (LOWER, HIGHER) or len(there) < 2:
        return []
    first = (min if direction == LOWER else max)(there, key=lambda i: values[i])  # type: ignore[arg-type,return-value]
    return [i for i in there if not differ(values[first], errors[first], values[i], errors[i])]


def _lacks_error(values: Sequence[float | None], errors: Sequence[float | None]) -> bool:
    return any(error is None and value is not None for value, error in zip(values, errors, strict=True))


def differ(one: float | None, error: float | None, other: float | None, other_error: float | None) -> bool:
    """Whether two scores differ by more than two standard errors of their difference.

    The errors are taken as independent. Scores against the same real samples share part of the sampling noise, so the
    test is conservative for them. Scores whose error is unknown do not differ.
    """
    assert one is not None and other is not None
    if error is None or other_error is None:
        return False
    return abs(one - other) > BEYOND * math.hypot(error, other_error)
