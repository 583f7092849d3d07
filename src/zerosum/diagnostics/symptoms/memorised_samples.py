"""G copies training samples."""

__all__ = ()

from zerosum.diagnostics.course import Course, rise
from zerosum.diagnostics.symptom import Symptom


def memorised_samples(course: Course) -> Symptom | None:
    """Samples are copies of training samples."""
    copies = rise(course.late("copies"), 0.05, 0.3)
    near = rise(course.late("nearest"), 0.3, 0.15)
    return course.symptom(
        "memorised-samples",
        max(copies, near),
        max(copies, near) * rise(course.late("epochs"), 3, 10),
        course.since("copies", lambda y: y > 0.05),
        ("copies", "nearest", "epochs"),
        "{copies} of the samples are nearly training samples; their distance to the nearest one is {nearest} of that "
        "between real samples.",
    )
