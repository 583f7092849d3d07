"""All of D is clipped, or clipped so tightly that it is flat."""

__all__ = ()

import numpy as np

from zerosum.diagnostics.course import Course, rise
from zerosum.diagnostics.symptom import Symptom


def saturated_clipping(course: Course) -> Symptom | None:
    """Nearly all weights of D lie at the limit of the clipping; or many do and G stands still; or D is flat by it."""
    clipped = course.late("clipped")
    saturated = max(rise(clipped, 0.85, 0.97), min(rise(clipped, 0.2, 0.4), course.stillness))
    faint = 0.0 if clipped is None else _faint(course.late("G/gradient_norm"))
    if faint > saturated:
        since = course.since("G/gradient_norm", lambda y: _faint(y) > 0)
        text = "Weights of D are clipped so tightly that the gradient norm of G is {G_gradient_norm}."
    else:
        since = course.since("clipped", lambda y: y > 0.85)
        text = "{clipped} of D's weights lie at the limit of clipping; an iteration changes G's weights by {update_G}."
    severity = max(saturated, faint)
    return course.symptom(
        "saturated-clipping",
        severity,
        severity * (1 - course.fidelity),
        since,
        ("clipped", "update_G", "G/gradient_norm", "arbiter_live"),
        text,
    )


def _faint(norm: float | None) -> float:
    """0 for a gradient norm of 1e-4, 1 for 1e-6: a limit of c for k layers scales it by about c^k."""
    return 0.0 if norm is None else rise(float(np.log10(max(norm, 1e-30))), -4.0, -6.0)
