"""Samples do not depend on the condition."""

__all__ = ()

from zerosum.diagnostics.course import Course, rise
from zerosum.diagnostics.symptom import Symptom


def ignored_condition(course: Course) -> Symptom | None:
    """Samples hardly change with their condition, or are not of the class asked for."""
    deaf, wrong = rise(course.late("condition_response"), 0.25, 0.1), rise(course.late("class_accuracy"), 0.35, 0.15)
    text = "Samples move by {condition_response} of their distances when their conditions are exchanged."
    since = course.since("condition_response", lambda y: y < 0.25)
    if wrong > deaf:
        text = "Beyond random ones, {class_accuracy} as many samples as real ones are nearest to the class asked for."
        since = course.since("class_accuracy", lambda y: y < 0.35)
    return course.symptom(
        "ignored-condition",
        max(deaf, wrong),
        course.patience * max(deaf, wrong),
        since,
        ("condition_response", "class_accuracy", "latent_response"),
        text,
    )
