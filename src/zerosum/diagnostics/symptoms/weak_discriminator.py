"""D cannot separate what a new classifier separates."""

__all__ = ()

from zerosum.diagnostics.course import Course, rise
from zerosum.diagnostics.symptom import Symptom


def weak_discriminator(course: Course) -> Symptom | None:
    """D cannot separate real from generated samples, and a new classifier can: it is too small, slow or constrained."""
    blind, easy = rise(course.late("real_above"), 0.65, 0.55), rise(course.late("arbiter_live"), 0.9, 0.97)
    poor = rise(course.late("coverage_live"), 0.4, 0.15)
    shifts = [one for one in (course.late("shift_live"), course.last("shift_live")) if one is not None]
    standing = 1 - rise(min(shifts, default=None), 0.8, 1.5)  # a D that runs after a moving G is not weak
    return course.symptom(
        "weak-discriminator",
        poor,
        course.patience * min(blind, easy, poor, standing) * (1 - course.fidelity),
        course.since("real_above", lambda y: y < 0.65),
        ("real_above", "arbiter_live", "coverage_live"),
        "D scores {real_above} of real samples above generated ones; a new classifier has an AUC of {arbiter_live}.",
    )
