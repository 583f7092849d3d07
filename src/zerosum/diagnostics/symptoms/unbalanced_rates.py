"""Updates are out of proportion."""

__all__ = ()

import numpy as np

from zerosum.diagnostics.course import Course, rise
from zerosum.diagnostics.symptom import Symptom


def unbalanced_rates(course: Course) -> Symptom | None:
    """Updates of G or D are very large for their weights, or those of one player far larger than those of the other."""
    G, D = course.late("update_G"), course.late("update_D")
    large = rise(max(G or 0.0, D or 0.0), 0.01, 0.03)
    apart = 0.0 if G is None or D is None else abs(float(np.log10(max(G, 1e-12) / max(D, 1e-12))))
    unequal = rise(apart, 1.0, 1.6)
    largest = "update_G" if (G or 0.0) >= (D or 0.0) else "update_D"
    least = 0.01 if large >= unequal else 0.0  # rates that are far apart mostly are so from the start
    return course.symptom(
        "unbalanced-rates",
        max(large, unequal),
        course.patience * max(large, unequal) * (1 - max(course.fidelity, course.coverage)),
        course.since(largest, lambda y: y > least),
        ("update_G", "update_D"),
        "An iteration changes G by {update_G} and D by {update_D} of their weights.",
    )
