"""D memorises its training samples."""

__all__ = ()

from zerosum.diagnostics.course import Course, rise
from zerosum.diagnostics.symptom import Symptom


def overfitting_discriminator(course: Course) -> Symptom | None:
    """D scores training samples above held-out ones; or separates few samples, seen many times, almost perfectly."""
    memorised = rise(course.late("held_out"), 0.6, 0.75)
    repeated = min(rise(course.late("epochs"), 20, 60), rise(course.late("real_above"), 0.93, 0.99))
    apart = rise(course.late("score_gap"), 2.5, 4.0)
    guessed = min(repeated, apart) if course.late("held_out") is None else 0.0
    return course.symptom(
        "overfitting-discriminator",
        max(memorised, guessed),
        max(memorised, guessed),
        course.since("held_out", lambda y: y > 0.6) if memorised else course.since("real_above", lambda y: y > 0.93),
        ("held_out", "epochs", "real_above", "score_gap"),
        "D scores a training sample above a held-out one in {held_out} of pairs."
        if memorised
        else "D has seen every sample {epochs} times and scores {real_above} of real samples above generated ones.",
    )
