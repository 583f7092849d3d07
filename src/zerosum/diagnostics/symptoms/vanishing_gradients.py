"""G gets no gradient: its loss saturates, or D is flat at its samples."""

__all__ = ()

from zerosum.diagnostics.course import Course, rise
from zerosum.diagnostics.symptom import Symptom


def vanishing_gradients(course: Course) -> Symptom | None:
    """G gets no gradient: D separates the sets, and G's loss saturates there, or D is flat at G's samples."""
    separated = min(rise(course.late("real_above"), 0.9, 0.98), rise(course.late("arbiter_live"), 0.85, 0.95))
    saturated, flat = rise(course.late("loss_gradient"), 0.2, 0.05), rise(course.late("steepness"), 0.3, 0.1)
    still = course.stillness
    since = course.since("loss_gradient", lambda y: y < 0.2)
    text = "G's loss has {loss_gradient} of the gradient that a D without knowledge gives"
    if still > max(saturated, flat):
        text = "An iteration changes G by {update_G} of its weights, at a gradient norm of {G_gradient_norm}"
        since = course.since("update_G", lambda y: y < 1e-5)
    elif flat > saturated:
        text = "D is flat at G's samples: its gradient times their distance from the data is {steepness} of its gap"
        since = course.since("steepness", lambda y: y < 0.3)
    return course.symptom(
        "vanishing-gradients",
        max(saturated, flat, still),
        min(separated, max(saturated, flat, still)) * (1 - course.fidelity),
        since,
        ("loss_gradient", "steepness", "real_above", "arbiter_live", "update_G", "G/gradient_norm"),
        f"{text}, while D scores {{real_above}} of real samples above generated ones.",
    )
