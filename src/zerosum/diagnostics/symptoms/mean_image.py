"""G never left the mean of the data."""

__all__ = ()

from zerosum.diagnostics.course import Course, rise
from zerosum.diagnostics.symptom import Symptom


def mean_image(course: Course) -> Symptom | None:
    """Samples are alike and near the mean of the data."""
    near, centred = rise(course.late("mean_distance"), 0.6, 0.4), rise(course.late("offset"), 0.5, 0.3)
    alike = rise(course.late("spread_pixels"), 0.5, 0.25)
    standing = 1 - rise(course.late("shift_live"), 0.8, 1.5)  # the average of a G that hops is near the mean
    return course.symptom(
        "mean-image",
        near,
        course.patience * min(near, centred, alike, standing),
        course.since("mean_distance", lambda y: y < 0.6),
        ("mean_distance", "offset", "spread_pixels"),
        "Samples are at {mean_distance} of the distance of real ones from the mean of the data, and at {spread_pixels} "
        "of their distances from each other.",
    )
