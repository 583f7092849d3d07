"""The data has copies, constant images, or few samples of some classes."""

__all__ = ()

from zerosum.diagnostics.course import Course, rise
from zerosum.diagnostics.symptom import Symptom


def data_trouble(course: Course) -> Symptom | None:
    """The data has copies, constant images, or classes with few samples."""
    copies, constant = rise(course.late("data_copies"), 0.05, 0.2), rise(course.late("data_constant"), 0.01, 0.05)
    skewed = rise(course.late("data_balance"), 0.7, 0.45)
    text = "Of the real samples {data_copies} have a copy and {data_constant} are constant."
    if skewed > max(copies, constant):
        text = "The effective number of classes in the data is {data_balance} of their number."
    return course.symptom(
        "data-trouble",
        max(copies, constant, skewed),
        max(copies, constant, skewed),
        0,
        ("data_copies", "data_constant", "data_balance"),
        text,
    )
