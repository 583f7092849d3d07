"""Results side by side, where they are alike enough to be compared."""

__all__ = ["Comparison", "compare"]

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from zerosum.evaluation.measure import HIGHER, LOWER
from zerosum.evaluation.scores import Scores

# What must be equal: what was looked at, how, and how much of it; and for scores that both have, how they are made.
_ALIKE = ("real.n", "real.content", "fake.n", "held_out.n", "held_out.content", "shape")
_OWN = ("real", "real.", "fake", "fake.", "held_out", "held_out.", "seed")  # what results differ in without a word
BEYOND = 2.0  # standard errors of the difference, from which on two scores differ


@dataclass(frozen=True)
class Comparison:
    """Results side by side.

    Attributes:
        names: of the results.
        scores: by the name of a score, the value of each result; None where it has none.
        errors: the standard errors likewise.
        best: by the name of a score, the names of the best result and of all that are not beyond two standard errors of
            their difference from it; empty for scores that are better neither way.
        notes: sentences on what differs and need not change a score.
    """

    names: tuple[str, ...]
    scores: Mapping[str, tuple[float | None, ...]]
    errors: Mapping[str, tuple[float | None, ...]]
    best: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...]


def compare(results: Mapping[str, Scores]) -> Comparison:
    """Set results side by side, by name.

    Raises `ValueError` for fewer than two, for results without a score in common, and, saying what differs, for those
    whose protocols are unlike: other real samples, another number of either, another extractor or way to score.
    """
    if len(results) < 2:
        raise ValueError(f"two results or more can be compared; found {len(results)}")
    names = tuple(results)
    _refuse_unlike(results)
    keys = list(dict.fromkeys(key for one in results.values() for key in one.values))
    if not any(all(key in one.values for one in results.values()) for key in keys):
        raise ValueError(f"{' and '.join(names)} have no score in common")
    scores = {key: tuple(one.values.get(key) for one in results.values()) for key in keys}
    errors = {key: tuple(one.errors.get(key) for one in results.values()) for key in keys}
    best = {key: tuple(names[i] for i in _best(scores[key], errors[key], _direction(key, results))) for key in keys}
    return Comparison(names, scores, errors, best, tuple(_notes(results)))


def _refuse_unlike(results: Mapping[str, Scores]) -> None:
    unlike = {key: values for key, values in _differing(results).items() if _must_agree(key, values)}
    if unlike:
        told = "; ".join(_told(key, values) for key, values in unlike.items())
        raise ValueError(f"these scores were not made alike, so they are not compared: {told}")


def _notes(results: Mapping[str, Scores]) -> list[str]:
    rest = {key: values for key, values in _differing(results).items() if not _must_agree(key, values)}
    quiet = ("metric.", *(one for one in _OWN if one.endswith(".")))
    return [f"made otherwise: {_told(key, rest[key])}" for key in rest if key not in _OWN and not key.startswith(quiet)]


def _must_agree(key: str, values: Mapping[str, str | int | None]) -> bool:
    if key.startswith(("metric.", "held_out.")) and None in values.values():
        return False  # a score that one of them lacks is not compared
    return key in _ALIKE or key.startswith(("features.", "metric."))


def _told(key: str, values: Mapping[str, str | int | None]) -> str:
    return f"{key} is {' and '.join(f'{value} in {name}' for name, value in values.items())}"


def _differing(results: Mapping[str, Scores]) -> dict[str, dict[str, str | int | None]]:
    """The keys of the protocols that differ, with the value of each result; None where it has none."""
    keys = dict.fromkeys(key for one in results.values() for key in one.protocol)
    found = {key: {name: one.protocol.get(key) for name, one in results.items()} for key in keys}
    return {key: values for key, values in found.items() if len(set(values.values())) > 1}


def _direction(key: str, results: Mapping[str, Scores]) -> str:
    """Which way a score is better, as the results themselves say; raises `ValueError` where they disagree."""
    told = {name: one.better[key] for name, one in results.items() if key in one.better}
    if len({*told.values()}) > 1:
        listed = " and ".join(f"{way or 'neither way'} in {name}" for name, way in told.items())
        raise ValueError(f"results are not comparable: {key} is better {listed}")
    return next(iter(told.values()), "")


def _best(values: Sequence[float | None], errors: Sequence[float | None], direction: str) -> list[int]:
    """The places of the best value and of those that its errors and theirs do not tell apart from it."""
    there = [i for i, value in enumerate(values) if value is not None and math.isfinite(value)]
    if direction not in (LOWER, HIGHER) or len(there) < 2:
        return []
    first = (min if direction == LOWER else max)(there, key=lambda i: values[i])  # type: ignore[arg-type,return-value]
    return [i for i in there if not differ(values[first], errors[first], values[i], errors[i])]


def differ(one: float | None, error: float | None, other: float | None, other_error: float | None) -> bool:
    """Whether two scores lie more than two standard errors of their difference apart.

    The errors count as independent. Scores against the same real samples share part of their chance, and then differ
    more surely than this says. An error that is not known counts as 0.
    """
    assert one is not None and other is not None
    return abs(one - other) > BEYOND * math.hypot(error or 0.0, other_error or 0.0)
