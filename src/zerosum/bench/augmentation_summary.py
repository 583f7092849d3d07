"""Results of the augmentation benchmark: as numbers, as Markdown, and in plain sentences."""

__all__ = ()

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from statistics import fmean
from typing import Any

from zerosum.bench.augmentation import ALONE, BOTH, METHODS, MOVED, SAMPLES, FewLabelsResult
from zerosum.bench.paired import Mean, mean_of

_COMPARED = ((SAMPLES, ALONE), (MOVED, ALONE), (BOTH, MOVED))
_WORDS = {1: "helped", -1: "did harm", 0: "made no difference beyond the interval"}


def augmentation_summary(results: Sequence[FewLabelsResult]) -> list[dict[str, Any]]:
    """Summarise the results as plain values, for each number of labels.

    Accuracies are means over seeds, and differences are means of the differences between two methods of one seed; both
    with half the width of their 95 % interval (see `paired`).
    """
    found = []
    for number in sorted({result.labels for result in results}):
        own = [result for result in results if result.labels == number]
        differences = {
            f"{one} - {other}": mean_of([result.accuracy[one] - result.accuracy[other] for result in own])
            for one, other in _COMPARED
        }
        found.append(
            {
                "labels": number,
                "seeds": [result.seed for result in own],
                "tested": own[0].tested,
                "images": own[0].images,
                "accuracy": {name: asdict(mean_of([result.accuracy[name] for result in own])) for name in METHODS},
                "differences": {name: asdict(difference) for name, difference in differences.items()},
                "cpu_seconds": fmean(result.cpu_seconds for result in own),
                "conclusion": _conclusion(number, len(own), differences),
            }
        )
    return found


def augmentation_table(summary: Sequence[Mapping[str, Any]]) -> str:
    """Markdown table of the accuracies and differences, and a sentence for each number of labels."""
    compared = [f"{one} - {other}" for one, other in _COMPARED]
    head = ("labels a class", "seeds", *METHODS, *compared, "processor s")
    lines = [head, ("---",) * len(head)]
    for one in summary:
        accuracy = (_in_text(one["accuracy"][name], "{:.1%}", "{:.1%}") for name in METHODS)
        differences = (_points(one["differences"][name]) for name in compared)
        lines.append((f"{one['labels']}", f"{len(one['seeds'])}", *accuracy, *differences, f"{one['cpu_seconds']:.0f}"))
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    return table + "\n\n" + "\n".join(one["conclusion"] for one in summary) + "\n"


def _conclusion(labels: int, seeds: int, differences: Mapping[str, Mean]) -> str:
    """Whether samples helped by themselves, and beside shifts and rotations; no more than the intervals say."""
    start = f"With {labels} labels a class"
    if seeds < 2:
        return f"{start}: one seed has no interval, so nothing is claimed."
    alone, beside = differences[f"{SAMPLES} - {ALONE}"], differences[f"{BOTH} - {MOVED}"]
    return (
        f"{start}: samples {_WORDS[alone.sign]} by themselves ({_points(asdict(alone))} points), "
        f"and {_WORDS[beside.sign]} beside shifts and rotations ({_points(asdict(beside))} points)."
    )


def _points(values: Mapping[str, Any]) -> str:
    """A difference in percentage points."""
    return _in_text({name: None if v is None else 100 * v for name, v in values.items()}, "{:+.1f}", "{:.1f}")


def _in_text(values: Mapping[str, Any], form: str, form_within: str) -> str:
    mean = form.format(values["mean"])
    return mean if values["within"] is None else f"{mean} ± {form_within.format(values['within'])}"
