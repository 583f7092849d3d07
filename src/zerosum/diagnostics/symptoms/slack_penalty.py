"""A penalty, or clipping, does not hold D."""

__all__ = ()

from zerosum.diagnostics.course import Course, rise
from zerosum.diagnostics.symptom import Symptom


def slack_penalty(course: Course) -> Symptom | None:
    """D's gradient norm is far from the target of its penalty, or weights are clipped at a limit that none reaches."""
    gradient, clipped = course.late("penalty_gradient"), course.late("clipped")
    steep, flat = rise(gradient, 2.0, 4.0), rise(gradient, 0.5, 0.2)
    idle = 0.0 if clipped is None else rise(clipped, 0.01, 0.001) * (1 - course.fidelity)
    if idle > max(steep, flat):
        text = "Weights are clipped at a limit that {clipped} of them reach, so D is not constrained."
        since = course.since("clipped", lambda y: y < 0.01)
    else:
        text = "D's gradient norm is {penalty_gradient} times the target of its penalty."
        since = course.since("penalty_gradient", lambda y: not 0.5 < y < 2)
    return course.symptom(
        "slack-penalty",
        max(steep, flat, idle),
        max(steep, flat, idle),
        since,
        ("penalty_gradient", "clipped"),
        text,
    )
