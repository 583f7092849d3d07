"""Units of a layer are constant."""

__all__ = ()

from zerosum.diagnostics.course import Course, rise
from zerosum.diagnostics.symptom import Symptom


def dead_layers(course: Course) -> Symptom | None:
    """Nearly all units of a layer of G or D are constant."""
    player = "G" if (course.late("dead_G") or 0) >= (course.late("dead_D") or 0) else "D"
    dead = rise(course.late(f"dead_{player}"), 0.8, 0.95)
    return course.symptom(
        "dead-layers",
        dead,
        dead,
        course.since(f"dead_{player}", lambda y: y > 0.8),
        (f"dead_{player}",),
        f"In a layer of {player} {{dead_{player}}} of the units are constant over all samples.",
    )
