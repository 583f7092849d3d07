"""Samples have less variety than the data."""

__all__ = ()

from zerosum.diagnostics.course import Course, rise
from zerosum.diagnostics.symptom import Symptom


def mode_collapse(course: Course) -> Symptom | None:
    """Samples have a part of the variety of the data: few of its clusters, or distances that are too small."""
    clusters, spread = course.late("clusters_live"), course.late("spread_live")
    # Until classes are learned, samples of one are alike in every game, and more varied from one check-up to the next.
    within = min(rise(course.late("class_spread"), 0.5, 0.25), rise(course.last("class_spread"), 0.5, 0.25))
    within *= rise(course.late("class_accuracy"), 0.4, 0.7)
    few, near = rise(clusters, 0.6, 0.35), rise(spread, 0.6, 0.35)
    there = 1 - rise(course.late("mean_distance"), 1.5, 3.0)  # samples that left the data are in none of its clusters
    there *= 1 - course.coverage  # uneven samples that lie beside most of the real ones are not collapsed
    confidence = (
        course.patience
        * there
        * max(few, near, within)
        * (1 - min(course.fidelity, rise(course.late("clusters"), 0.6, 0.8)))
    )
    text = (
        "Samples of the live G are in {clusters_live} of the clusters that real ones are in, at {spread_live} of their "
        "distances."
    )
    since = min(course.since("clusters_live", lambda y: y < 0.6), course.since("spread_live", lambda y: y < 0.6))
    if within > max(few, near):
        since = course.since("class_spread", lambda y: y < 0.5)
        text = "Samples of one class are at {class_spread} of the distances of real samples of one class."
    return course.symptom(
        "mode-collapse",
        max(rise(clusters, 0.8, 0.1), rise(spread, 0.8, 0.1), within),
        confidence,
        since,
        ("clusters_live", "spread_live", "coverage_live", "clusters", "class_spread"),
        text,
    )
