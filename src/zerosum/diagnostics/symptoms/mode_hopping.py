"""A collapsed G moves from mode to mode."""

__all__ = ()

from zerosum.diagnostics.course import Course, rise
from zerosum.diagnostics.symptom import Symptom


def mode_hopping(course: Course) -> Symptom | None:
    """Samples of the live G are alike and move together: by more than their distances from check-up to check-up."""
    alike = max(rise(course.late("spread_live"), 0.7, 0.4), rise(course.late("clusters_live"), 0.6, 0.35))
    moving = rise(course.late("shift_live"), 0.9, 1.8)
    return course.symptom(
        "mode-hopping",
        moving,
        course.patience * min(alike, moving) * (1 - course.fidelity),
        course.since("shift_live", lambda y: y > 0.9),
        ("shift_live", "spread_live", "clusters_live", "return_live"),
        "From one check-up to the next samples of the live G move by {shift_live} of their distances, which are "
        "{spread_live} of those of real samples.",
    )
