"""The tables of `benchmarks.quality.doctor`, from the results of its cases as plain values."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from benchmarks.quality.doctor_games import ILLNESSES, SUBJECTS
from zerosum.bench.paired import mean_of

WELL = 0.75  # of the score of the healthy run of the same seed
Result = Mapping[str, Any]


def tables(results: Sequence[Result]) -> str:
    """Markdown: what is found, false alarms, what heals, and each case."""
    return "\n\n".join((_summary(results), _by_illness(results), _healthy(results)))


def found(result: Result) -> bool:
    """Whether a certain symptom describes the illness."""
    return bool({*result["symptoms"]} & ILLNESSES[result["form"]].symptoms)


def harmed(result: Result, results: Sequence[Result]) -> bool:
    """Whether an illness did harm, by the score."""
    return bool(result["ill"]) and result["score"] < WELL * _healthy_score(result, results)


def healed(result: Result, by: str, results: Sequence[Result]) -> bool:
    """Whether the score is as that of a healthy run, under the advice `advised` or `drawn`; never without advice."""
    reached = result.get(f"{by}_score")
    return reached is not None and reached >= WELL * _healthy_score(result, results)


def balanced_accuracy(some: Sequence[Result], results: Sequence[Result]) -> float | None:
    """The mean of the shares of ill runs that are found, and of healthy runs without a certain symptom, among some."""
    ill = [found(one) for one in some if harmed(one, results)]
    well = [not one["symptoms"] for one in some if not one["ill"]]
    return (sum(ill) / len(ill) + sum(well) / len(well)) / 2 if ill and well else None


def _healthy_score(result: Result, results: Sequence[Result]) -> float:
    key = (result["subject"], result["seed"])
    return next(
        float(one["score"])
        for one in results
        if not one["ill"] and one["form"] == "itself" and (one["subject"], one["seed"]) == key
    )


def _summary(results: Sequence[Result]) -> str:
    head = ("runs", "balanced accuracy", "false alarms", "ill by the score", "healed as advised", "healed by drawn",
            "difference")  # fmt: skip
    rows = [head, ("---",) * len(head)]
    groups: dict[str, Callable[[Result], bool]] = {
        "seen": lambda one: not SUBJECTS[one["subject"]].kept_out,
        "kept out": lambda one: SUBJECTS[one["subject"]].kept_out,
    }
    for name, belongs in groups.items():
        some = [one for one in results if belongs(one)]
        if some:
            rows.append((name, *_row(some, results)))
    return _table(rows)


def _row(some: Sequence[Result], results: Sequence[Result]) -> tuple[str, ...]:
    well = [one for one in some if not one["ill"]]
    ill = [one for one in some if harmed(one, results)]
    accuracy = balanced_accuracy(some, results)
    alarms = sum(bool(one["symptoms"]) for one in well)
    advised, drawn = ([healed(one, by, results) for one in ill] for by in ("advised", "drawn"))
    if not ill:
        return (_share(accuracy), f"{alarms} of {len(well)}", f"0 of {sum(one['ill'] for one in some)}", "", "", "")
    difference = mean_of([float(a) - float(b) for a, b in zip(advised, drawn, strict=True)])
    within = "" if difference.within is None else f" ± {100 * difference.within:.0f}"
    return (
        _share(accuracy),
        f"{alarms} of {len(well)}",
        f"{len(ill)} of {sum(one['ill'] for one in some)}",
        f"{sum(advised)} of {len(ill)}",
        f"{sum(drawn)} of {len(ill)}",
        f"{100 * difference.mean:+.0f}{within} points",
    )


def _by_illness(results: Sequence[Result]) -> str:
    head = ("illness", "subject", "found", "certain symptoms", "score: healthy", "ill", "as advised", "drawn", "advice")
    rows = [head, ("---",) * len(head)]
    for illness in ILLNESSES:
        for subject in SUBJECTS:
            some = [one for one in results if (one["form"], one["subject"], one["ill"]) == (illness, subject, True)]
            if some:
                rows.append((illness, subject, *_cells(some, results)))
    return _table(rows)


def _cells(some: Sequence[Result], results: Sequence[Result]) -> tuple[str, ...]:
    names = sorted({name for one in some for name in one["symptoms"]})
    healthy = _mean([_healthy_score(one, results) for one in some])
    advised, drawn = ([one[by] for one in some if one.get(by) is not None] for by in ("advised_score", "drawn_score"))
    advice = next((" ".join(one["advised"]) for one in some if one.get("advised")), "")
    return (
        f"{sum(map(found, some))} of {len(some)}",
        ", ".join(names),
        healthy,
        _mean([one["score"] for one in some]),
        _mean(advised),
        _mean(drawn),
        f"`{advice}`" if advice else "",
    )


def _healthy(results: Sequence[Result]) -> str:
    rows = [("healthy game", "subject", "false alarms", "certain symptoms", "score"), ("---",) * 5]
    well = [one for one in results if not one["ill"]]
    for subject, form in dict.fromkeys((one["subject"], one["form"]) for one in well):
        some = [one for one in well if (one["subject"], one["form"]) == (subject, form)]
        names = sorted({name for one in some for name in one["symptoms"]})
        alarms = f"{sum(bool(one['symptoms']) for one in some)} of {len(some)}"
        rows.append((form, subject, alarms, ", ".join(names), _mean([one["score"] for one in some])))
    return _table(rows)


def _mean(values: Sequence[float]) -> str:
    return f"{sum(values) / len(values):.2f}" if values else ""


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _table(rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)
