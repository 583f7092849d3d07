"""The players circle."""

__all__ = ()

import numpy as np

from zerosum.diagnostics.course import Course, rise
from zerosum.diagnostics.symptom import Symptom


def oscillation(course: Course) -> Symptom | None:
    """Samples go to and fro: after a large shift they return, or D's advantage swings."""
    moving, back = rise(course.late("shift_live"), 0.5, 1.0), rise(course.late("return_live"), 1.2, 0.9)
    swings = rise(_swing(course), 0.12, 0.25)
    return course.symptom(
        "oscillation",
        max(moving, swings),
        course.patience * max(min(moving, back), min(swings, moving)) * (1 - course.fidelity),
        course.since("shift_live", lambda y: y > 0.5),
        ("shift_live", "return_live", "real_above"),
        "Samples move by {shift_live} of their distances between check-ups, and after two are {return_live} as far "
        "from where they were as after one.",
    )


def _swing(course: Course) -> float | None:
    """The standard deviation of D's advantage over the last half of the run, without its trend."""
    found = course.series("real_above")
    if found is None or len(found[0]) < 8:
        return None
    x, y = (values[len(values) // 2 :] for values in found)
    return float(np.std(y - np.polyval(np.polyfit(x - x.mean(), y, 1), x - x.mean())))
