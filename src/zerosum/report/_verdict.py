"""The first line of a report: what the run's scores say, or which are missing."""

from collections.abc import Mapping, Sequence
from typing import Any

from zerosum.evaluation.measure import measure_kinds
from zerosum.evaluation.scores import format_score
from zerosum.runs.log import SCORE, Series, evaluations
from zerosum.runs.plain_json import is_number

_NEAR = 0.1  # a mean D(x) within this of 1/2 looks like the equilibrium


def verdict(run: str, log: Sequence[Mapping[str, Any]], scores: Mapping[str, Any], curves: Mapping[str, Series]) -> str:
    """Return the verdict of a run from its final scores, or those of its last evaluation."""
    last = evaluations(log)[-1] if evaluations(log) else {}
    found = {**last, **scores}
    parts = [*_modes(found, curves), *_classes(found), *_evaluated(found)]
    if parts:
        return " ".join(parts)
    names = ", ".join(sorted({key.removeprefix(SCORE) for line in log for key in line if key.startswith(SCORE)}))
    missing = f"the log has {names}" if names else f"zerosum evaluate {run} --features random-conv computes some"
    return f"No score says yet how near the samples are to the data: {missing}."


def _modes(found: Mapping[str, Any], curves: Mapping[str, Series]) -> list[str]:
    modes, of, quality = (found.get(name) for name in ("found", "modes", "high_quality"))
    if not all(map(is_number, (modes, of, quality))):
        return []
    words = "No mode of the data was found" if not modes else f"{modes} of {of} modes of the data were found"
    sentence = f"{words}; {quality:.1%} of the samples are near one."
    if modes == of or "D(x)" not in curves:
        return [sentence]
    mean = float(curves["D(x)"][1][-1])
    if abs(mean - 0.5) < _NEAR:
        sentence += (
            f" D(x) = {mean:.2f} is not the equilibrium here: a discriminator that has learned nothing of use, or runs "
            "after a generator that moves, gives 1/2 as well."
        )
    return [sentence]


def _classes(found: Mapping[str, Any]) -> list[str]:
    accuracy, ceiling = found.get("class_accuracy"), found.get("class_accuracy_ceiling")
    if not is_number(accuracy) or not is_number(ceiling):
        return []
    return [f"{accuracy:.1%} of the samples are classified as the class asked for (real images: {ceiling:.1%})."]


def _evaluated(found: Mapping[str, Any]) -> list[str]:
    known = {name: info for kind in measure_kinds().values() for name, info in kind().gives.items()}
    words = []
    for name, info in known.items():
        value, error = found.get(name), found.get(f"{name}_error")
        if value is not None and is_number(value):
            direction = f" ({info.better} is better)" if info.better else ""
            words.append(f"{name} {format_score(value, error if is_number(error) else None)}{direction}")
    return [f"{', '.join(words)}."] if words else []
