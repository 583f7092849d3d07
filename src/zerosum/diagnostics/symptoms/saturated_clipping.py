"""All of D is clipped."""

__all__ = ()

from zerosum.diagnostics.course import Course, rise
from zerosum.diagnostics.symptom import Symptom


def saturated_clipping(course: Course) -> Symptom | None:
    """Nearly all weights of D lie at the limit of the clipping; or many do, and G gets no gradient through them."""
    clipped = course.late("clipped")
    saturated = max(rise(clipped, 0.85, 0.97), min(rise(clipped, 0.2, 0.4), course.stillness))
    return course.symptom(
        "saturated-clipping",
        saturated,
        saturated * (1 - course.fidelity),
        course.since("clipped", lambda y: y > 0.85),
        ("clipped", "update_G", "arbiter_live"),
        "{clipped} of D's weights lie at the limit of the clipping; an iteration changes G's weights by {update_G}.",
    )
