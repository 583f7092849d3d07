"""`zerosum doctor`."""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zerosum.cli._output import JsonFlag, echo, print_json
from zerosum.cli._use import flags, known, using

if TYPE_CHECKING:
    from zerosum.diagnostics.examination import Examination, Finding
    from zerosum.runs.run import Run

_SHOWN = 5  # changes
ILL = 3  # the exit status where a symptom is certain


@using
def doctor(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder, finished or not.")], as_json: JsonFlag = False
) -> None:
    """Say what is wrong with a run, by which evidence, and what to change.

    Exit status 0 where no symptom is certain, and 3 where one is. `zerosum report RUN` draws the symptoms over time.
    """
    from zerosum.diagnostics.examination import examine
    from zerosum.runs.run import Run

    opened = Run(run, known())
    found = examine(opened)
    if as_json:
        print_json(_facts(opened, found))
    else:
        echo(*_lines(opened, found))
    if found.findings:
        raise typer.Exit(ILL)


def _facts(run: "Run", found: "Examination") -> dict[str, Any]:
    facts = {"run": str(run), **found.facts}
    for advice in facts["advice"]:
        advice["command"] = _command(run, advice["settings"])
    return facts


def _lines(run: "Run", found: "Examination") -> Iterator[str]:
    yield f"{run}: {run.recipe.name}, after {found.images:,} of {found.total:,} images"
    yield ""
    yield _verdict(found)
    for one in found.findings:
        yield from _finding(one)
    yield from _advice(run, found)
    suspected = [f"{one.name} ({one.confidence:.2f})" for one in found.diagnosis.symptoms if not one.is_certain]
    if suspected:
        yield ""
        yield f"Not certain (confidence below 0.5): {', '.join(suspected)}."
    if found.images:
        yield ""
        yield "Normal in this run:"
        yield from (f"  {sentence}" for sentence in found.diagnosis.normal)
    yield ""
    yield _stopping(run, found)


def _verdict(found: "Examination") -> str:
    if not found.images:
        return "The log has no lines yet, so nothing can be said."
    count = len(found.findings)
    if not count and not found.diagnosis.examined:
        return (
            "Unknown: the log has no signals. The run was trained with --no-signals, by an earlier version, or for "
            "fewer updates than its first check-up takes."
        )
    if not count:
        return "Healthy: no symptom is certain."
    return f"Ill: {count} symptom{'s are' if count > 1 else ' is'} certain, the worst first."


def _finding(one: "Finding") -> Iterator[str]:
    symptom = one.symptom
    yield ""
    yield (
        f"{symptom.name} since {symptom.since:,} images (severity {symptom.severity:.2f}, confidence "
        f"{symptom.confidence:.2f})"
    )
    yield f"  {symptom.text}"
    yield f"  Evidence: {', '.join(f'{name} {value:.3g}' for name, value in symptom.evidence.items())}."
    if not one.advice:
        yield "  No setting of this recipe helps against it; `zerosum data check` examines the data."


def _advice(run: "Run", found: "Examination") -> Iterator[str]:
    """The most promising changes, with their commands."""
    if not found.recommendations:
        return
    yield ""
    yield "Try one of these, the most promising first:"
    for number, one in enumerate(found.recommendations[:_SHOWN], 1):
        advice = one.advice
        yield f"  {number}. {_command(run, advice.settings)}"
        yield f"     Against {', '.join(one.against)}. {advice.why} It shows within {advice.images:,} images."
        yield f"     {advice.source}."
    more = len(found.recommendations) - _SHOWN
    if more > 0:
        yield f"  {more} more with --json."


def _stopping(run: "Run", found: "Examination") -> str:
    if found.stopping is None:
        return f"When to stop is unknown: {found.unknown}."
    best = shlex.join(["zerosum", "sample", str(run), "--best", *flags()])
    return f"When to stop: {found.stopping}{f' `{best}` samples the best.' if found.stopping.later else ''}"


def _command(run: "Run", settings: tuple[str, ...]) -> str:
    """The command that trains the run's recipe with other settings, in a folder beside it."""
    words = ["zerosum", "train", str(run), *(word for one in settings for word in ("--set", one))]
    return shlex.join([*words, "--out", f"{str(run).rstrip('/')}-treated", *flags()])
