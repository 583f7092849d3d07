"""Samples, or gradients, leave all bounds."""

__all__ = ()

import numpy as np

from zerosum.diagnostics.course import Course, rise
from zerosum.diagnostics.symptom import Symptom


def divergence(course: Course) -> Symptom | None:
    """Samples leave the range of the data, or gradients grow by orders of magnitude."""
    away = rise(course.late("mean_distance"), 2.0, 4.0)
    growth = max(_growth(course, name) for name in ("D/gradient_norm", "G/gradient_norm"))
    growing = rise(growth, 1.5, 2.5)
    return course.symptom(
        "divergence",
        max(away, growing),
        max(away, growing * (1 - course.fidelity)),
        course.since("mean_distance", lambda y: y > 2.0) if away >= growing else course.images,
        ("mean_distance", "D/gradient_norm", "G/gradient_norm"),
        "Samples are {mean_distance} times as far from the mean of the data as real ones, and the gradient norms of D "
        "and G have reached {D_gradient_norm} and {G_gradient_norm}.",
    )


def _growth(course: Course, name: str) -> float:
    """By how many orders of magnitude a norm has grown since the first third of the run."""
    first, last = course.early(name), course.late(name)
    return float(np.log10(max(last, 1e-30) / max(first, 1e-30))) if first is not None and last is not None else 0.0
