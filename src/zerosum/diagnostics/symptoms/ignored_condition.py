"""Samples do not depend on the condition."""

__all__ = ()

from zerosum.diagnostics.course import Course, rise
from zerosum.diagnostics.symptom import Symptom


def ignored_condition(course: Course) -> Symptom | None:
    """Samples hardly change with their condition, or are not of the class asked for."""
    deaf, wrong = rise(course.late("condition_response"), 0.25, 0.1), rise(course.late("class_accuracy"), 0.35, 0.15)
    return course.symptom(
        "ignored-condition",
        max(deaf, wrong),
        max(deaf, wrong),
        course.since("condition_response", lambda y: y < 0.25) if deaf >= wrong else course.images,
        ("condition_response", "class_accuracy", "latent_response"),
        "Samples move by {condition_response} of their distances when their conditions are exchanged; beyond random "
        "ones, {class_accuracy} as many as real ones are nearest to the class asked for.",
    )
