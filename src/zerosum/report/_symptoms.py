"""The section of symptoms: a timeline, and for each symptom its evidence, the samples of that time, and advice."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path

import numpy as np

from zerosum.diagnostics.diagnose import Diagnosis
from zerosum.diagnostics.examination import Examination, Finding, Recommendation, examine
from zerosum.diagnostics.history import history
from zerosum.diagnostics.signals.names import SIGNAL, SIGNALS
from zerosum.diagnostics.symptom import Symptom
from zerosum.plots.curves import Curve, Span, line_chart
from zerosum.plots.timeline import Bar, timeline
from zerosum.report._html import Section, figure, joined, prose
from zerosum.runs.generator import TrainedGenerator
from zerosum.runs.images import inline_image, open_image
from zerosum.runs.log import Series
from zerosum.runs.run import Run

_EVIDENCE = 3  # curves shown of each symptom, at most
_WIDEST = 700  # pixels of a sample grid


def symptoms(run: Run, generator: TrainedGenerator, unit: str) -> Section | None:
    """Return the symptoms of a run over time, those of its end with their evidence; None where no signal was logged.

    `unit` is the unit of the x axis: images or points.
    """
    found, moments = examine(run, generator), history(run.log, generator.recipe)
    if not moments:
        return None
    rows = _rows(moments)
    parts = [prose(_lead(found, rows))]
    if rows:
        chart = timeline(rows, float(moments[-1].images), f"{unit} seen", "symptoms over the run")
        parts.append(figure(chart, "The darker, the graver and surer.", "timeline"))
    curves, grids = run.curves, run.samples
    parts += [_finding(one, curves, grids, moments[-1].images, unit) for one in found.findings]
    if found.recommendations:
        listed = joined(map(_advice, found.recommendations))
        parts.append(f"<h3>What to change, the most promising first</h3>\n<ol>{listed}</ol>")
    if found.diagnosis.normal:
        listed = joined(f"<li>{escape(sentence)}</li>" for sentence in found.diagnosis.normal)
        parts.append(f"<h3>Normal in this run</h3>\n<ul>{listed}</ul>")
    if found.stopping is not None:
        parts.append(f"<h3>When to stop</h3>\n{prose(str(found.stopping))}")
    return Section("symptoms", "Symptoms", joined(parts))


def _lead(found: Examination, rows: Mapping[str, Sequence[Bar]]) -> str:
    if found.findings:
        return "What is wrong with this run, by the signals in its log. zerosum doctor prints the same."
    passed = f" Passed by themselves: {', '.join(rows)}." if rows else ""
    return f"No symptom is left at the last check-up.{passed}"


def _rows(moments: Sequence[Diagnosis]) -> dict[str, list[Bar]]:
    """The bars of each symptom, one for each check-up that found it, up to the next."""
    rows: dict[str, list[Bar]] = {}
    ends = [moment.images for moment in moments[1:]] + [moments[-1].images]
    for moment, end in zip(moments, ends, strict=True):
        for one in moment.certain:
            rows.setdefault(one.name, []).append(Bar(moment.images, end, one.weight))
    return rows


def _finding(one: Finding, curves: Mapping[str, Series], grids: Sequence[Path], last: int, unit: str) -> str:
    symptom = one.symptom
    head = f"{symptom.name}, since {symptom.since:,} {unit}"
    charts = joined(_charts(symptom, curves, last, unit))
    grid = _grid(symptom, grids, unit)
    body = f'<div class="panels">{charts}{grid}</div>' if charts or grid else ""
    return joined(filter(None, (f"<h3>{escape(head)}</h3>", prose(symptom.text), body)))


def _charts(symptom: Symptom, curves: Mapping[str, Series], last: int, unit: str) -> Iterator[str]:
    shown = [name for name in symptom.evidence if name in curves and np.isfinite(curves[name][1]).any()]
    for name in shown[:_EVIDENCE]:
        clock = f"{unit} seen"
        spans = (Span(symptom.since, last),)
        chart = line_chart([Curve(*curves[name])], (), clock, f"{name} against {clock}", spans=spans)
        about = prose(SIGNALS.get(name.removeprefix(SIGNAL), ""))
        yield f'<div class="panel"><h4>{escape(name.removeprefix(SIGNAL))}</h4>{chart}{about}</div>'


def _grid(symptom: Symptom, grids: Sequence[Path], unit: str) -> str:
    """The sample grid nearest to the beginning of the symptom."""
    if not grids:
        return ""
    path = min(grids, key=lambda one: abs(int(one.stem) - symptom.since))
    caption = f"samples after {int(path.stem):,} {unit}"
    try:
        content = inline_image(open_image(path, _WIDEST), caption)
    except ValueError as error:
        content = prose(str(error))
    return f'<div class="panel">{figure(content, escape(caption))}</div>'


def _advice(one: Recommendation) -> str:
    advice = one.advice
    settings = shlex.join([word for setting in advice.settings for word in ("--set", setting)])
    text = f"Against {', '.join(one.against)}. {advice.why} It shows within {advice.images:,} images. {advice.source}."
    return f"<li><pre class='command'>{escape(settings)}</pre>\n{prose(text)}</li>"
