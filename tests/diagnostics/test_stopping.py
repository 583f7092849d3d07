"""The best evaluation of a run beyond its error, and how long ago it was."""

import pytest

from zerosum.diagnostics import when_to_stop
from zerosum.recipes.evaluation import Evaluation

KID = Evaluation(("kid",))


def scored(*values, error=0.1):
    """Lines of scores after every 1,000 images, among lines of losses."""
    lines = []
    for number, value in enumerate(values, 1):
        lines.append({"images": 1000 * number, "D/loss": 1.0})
        lines.append({"images": 1000 * number, "score/kid": value, "error/kid": error})
    return lines


def test_a_run_that_improves_goes_on():
    found = when_to_stop(scored(5.0, 4.0, 3.0), KID)
    assert (found.images, found.since, found.later, found.stop) == (3000, 0, 0, False)
    assert str(found) == "the best kid is 3.00 ± 0.10, after 3,000 images, the last evaluation: the run still improves."


def test_what_is_within_the_error_of_the_best_is_no_improvement():
    found = when_to_stop(scored(5.0, 3.0, 2.9, 2.9, 3.5), KID)
    assert (found.images, found.since, found.later, found.stop) == (2000, 3000, 3, True)
    assert "nothing has improved on it beyond its error for 3,000 images: it is time to stop." in str(found)
    assert not when_to_stop(scored(5.0, 3.0, 2.9, 2.9), KID).stop
    assert when_to_stop(scored(5.0, 3.0, 2.9, 2.9, error=0.01), KID).images == 3000


def test_a_score_that_is_better_when_higher():
    log = [{"images": n, "score/recall": r, "error/recall": 0.01} for n, r in ((10, 0.2), (20, 0.6), (30, 0.5))]
    found = when_to_stop(log, Evaluation(("prdc",), best="recall"))
    assert (found.score, found.images, found.later) == ("recall", 20, 1)


@pytest.mark.parametrize(("log", "plan"), [([], KID), (scored(1.0), None), ([{"images": 5, "D/loss": 1.0}], KID)])
def test_without_scores_there_is_no_best(log, plan):
    assert when_to_stop(log, plan) is None
