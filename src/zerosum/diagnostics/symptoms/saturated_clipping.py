"""All of D is clipped."""

__all__ = ()

from zerosum.diagnostics.course import Course, rise
from zerosum.diagnostics.symptom import Symptom


def saturated_clipping(course: Course) -> Symptom | None:
    """Nearly all weights of D lie at the limit of the clipping, so D is a function of signs."""
    saturated = rise(course.late("clipped"), 0.85, 0.97)
    return course.symptom(
        "saturated-clipping",
        saturated,
        saturated * (1 - course.fidelity),
        course.since("clipped", lambda y: y > 0.85),
        ("clipped", "arbiter_live"),
        "{clipped} of D's weights lie at the limit of the clipping.",
    )
