"""The section of training curves: the values of the log against images seen."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zerosum.diagnostics.signals.names import SIGNAL, SIGNALS
from zerosum.evaluation.measure import measure_kinds
from zerosum.plots.curves import Curve, Level, compact, line_chart
from zerosum.report._html import Section, joined, prose
from zerosum.runs.log import ERROR, SCORE, Series
from zerosum.runs.log import curves as logged

_CLOCKS = ("images", "steps", "seconds")
_PLAYERS = {"D": "discriminator", "G": "generator"}
_SPEED = {
    "images_per_second": "Real images processed per second.",
    "wait": "Share of the time spent waiting for data.",
}
_DESCRIPTIONS = {
    "k": "The balance k of BEGAN, the weight of generated samples in the discriminator's loss. It is adjusted to keep "
    "the ratio of the two reconstruction errors at gamma.",
    "convergence": "BEGAN's measure of convergence, L(x) + |gamma L(x) − L(G(z))|. It falls while samples improve.",
}
_BAND = 2.0  # standard errors on either side of a score


@dataclass(frozen=True)
class _Panel:
    """A small chart with a heading and a description."""

    heading: str
    keys: tuple[str, ...]
    sentence: str
    levels: tuple[Level, ...] = ()


_PROBABILITIES = _Panel(
    "D(x) and D(G(z))",
    ("D(x)", "D(G(z))"),
    "Mean probability of being real that the discriminator assigns to real samples, D(x), and to generated ones, "
    "D(G(z)). At the equilibrium both are 1/2; but 1/2 alone does not mean that the generator matches the data: a "
    "discriminator that has learned nothing, or runs after a generator that moves, gives 1/2 as well.",
    (Level(0.5, "1/2"),),
)
_VALUE = _Panel(
    "V(D, G)",
    ("V",),
    "The value of the game, E[log D(x)] + E[log(1 − D(G(z)))], which the discriminator maximises. It is 0 for a "
    "perfect discriminator, and −log 4 ≈ −1.386 at the equilibrium (Goodfellow et al., 2014).",
    (Level(-math.log(4), "−log 4"),),
)


def curves(log: Sequence[Mapping[str, Any]], unit: str) -> Section:
    """Return panels for every value in the log: scores, the game's value, losses and terms, other values, speed.

    `unit` is the unit of the x axis: images or points.
    """
    if not log:
        return Section("curves", "Curves", prose("The log has no lines yet; the first is written at the first tick."))
    series = {name: curve for name, curve in logged(log).items() if name not in _CLOCKS}
    scores = [_score(key) for key in series if key.startswith(SCORE)]
    panels = [panel for panel in (_PROBABILITIES, _VALUE) if all(key in series for key in panel.keys)]
    used = {key for panel in panels for key in panel.keys}
    rest = [key for key in series if key not in used and not key.startswith((SCORE, ERROR))]
    groups = {
        "Scores": scores,
        "The game": panels,
        "Losses and gradients": [_part(key) for key in rest if _is_part(key)],
        "Signals": [_signal(key) for key in rest if key.startswith(SIGNAL)],
        "Other values": [_other(key) for key in rest if not _is_known(key)],
        "Speed": [_Panel(key.replace("_", " "), (key,), _SPEED[key]) for key in rest if key in _SPEED],
    }
    clock = f"{unit} seen"
    parts = (
        _group(title, [_chart(panel, series, clock) for panel in group]) for title, group in groups.items() if group
    )
    return Section("curves", "Curves", joined(parts))


def _is_part(key: str) -> bool:
    player, _, part = key.partition("/")
    return player in _PLAYERS and bool(part)


def _is_known(key: str) -> bool:
    return _is_part(key) or key in _SPEED or key.startswith(SIGNAL)


def _signal(key: str) -> _Panel:
    name = key.removeprefix(SIGNAL)
    return _Panel(name, (key,), SIGNALS.get(name, f"The signal {name}."))


def _part(key: str) -> _Panel:
    player, _, part = key.partition("/")
    sentence = {
        "loss": f"The objective that the {_PLAYERS[player]} minimises, without additional terms.",
        "gradient_norm": f"Gradient norm of the {_PLAYERS[player]}, over all its parameters.",
    }.get(part, f"The term {part}, added to the {_PLAYERS[player]}'s loss.")
    return _Panel(key, (key,), sentence)


def _score(key: str) -> _Panel:
    name = key.removeprefix(SCORE)
    band = "The band is ± 2 standard errors, if known."
    info = {score: info for kind in measure_kinds().values() for score, info in kind().gives.items()}.get(name)
    line = f"The score {name}." if info is None else info.line
    direction = f" {info.better.capitalize()} is better." if info is not None and info.better else ""
    return _Panel(name, (key,), f"{line}{direction} {band}")


def _other(key: str) -> _Panel:
    return _Panel(key, (key,), _DESCRIPTIONS.get(key, f"The value {key}."))


def _group(title: str, panels: Iterable[str]) -> str:
    return f'<h3>{title}</h3>\n<div class="panels">{joined(panels)}</div>'


def _spread(key: str, series: Mapping[str, Series]) -> NDArray[np.float64] | None:
    """Twice the standard error of a score at each point, NaN if unknown."""
    errors = series.get(ERROR + key.removeprefix(SCORE))
    if not key.startswith(SCORE) or errors is None:
        return None
    known = dict(zip(*errors, strict=True))
    return np.array([_BAND * known.get(x, np.nan) for x in series[key][0]])


def _chart(panel: _Panel, series: Mapping[str, Series], clock: str) -> str:
    lines = [series[key] for key in panel.keys]
    broken = sum(int((~np.isfinite(y)).sum()) for _, y in lines)
    sentence = panel.sentence + (f" Not shown: {broken:,} values that are not finite." if broken else "")
    latest = " · ".join(compact(float(y[-1])) for _, y in lines)
    heading = f"<h4>{escape(panel.heading)} <output>{latest}</output></h4>"
    labels = panel.keys if len(panel.keys) > 1 else ("",)
    finite = [np.isfinite(y).any() for _, y in lines]
    if not all(finite):
        return f'<div class="panel">{heading}{prose("No value is finite.")}</div>'
    parts = [Curve(*series[key], label, _spread(key, series)) for key, label in zip(panel.keys, labels, strict=True)]
    chart = line_chart(parts, panel.levels, clock, f"{panel.heading} against {clock}")
    return f'<div class="panel">{heading}{chart}{prose(sentence)}</div>'
