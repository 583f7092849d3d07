"""Going back to a checkpoint of a run: after NaN or Inf, and to treat a symptom."""

__all__ = ()

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from zerosum.game.distributed import rank
from zerosum.game.finite import NonFiniteError
from zerosum.runs.checkpoint import checkpoints, remove_newest
from zerosum.runs.log import ROLLBACK, TREATMENT, append_log
from zerosum.training.evaluations import remove_best
from zerosum.training.folder import open_run
from zerosum.training.treatment import TREATMENTS, Treatment

if TYPE_CHECKING:
    from zerosum.training.session import Session

ROLLBACKS = 5  # in a run, at most
SLOWER = 0.5  # factor on the learning rates for each; a power of two, so that no rounding depends on the way there
COUNT = "rollbacks"  # their number, among a checkpoint's numbers

Say = Callable[[str], None]


def roll_back(session: "Session", error: NonFiniteError, say: Say) -> None:
    """Restore the last checkpoint and halve the learning rates, if the run's options allow it; else raise the error."""
    if not session.options.goes_back:
        raise error
    number, broken = session.facts[COUNT] + 1, session.game.images
    if number > ROLLBACKS:
        raise NonFiniteError(
            f"{error}, also after {ROLLBACKS} rollbacks and at {SLOWER**ROLLBACKS:g} of the learning rates: "
            f"change the recipe"
        ) from None
    _reopen(session, {COUNT: number})
    if rank() == 0:
        table = {"count": number, "images": broken, "rate": SLOWER**number, "reason": str(error)}
        _log(session, {ROLLBACK: table}, say)
        say(
            f"{error} after {broken:,} images: rolled back to {session.game.images:,} images, at {SLOWER**number:g} of "
            f"the learning rates (rollback {number} of {ROLLBACKS})"
        )


def treat(session: "Session", treatment: Treatment | None, say: Say) -> None:
    """Restore the checkpoint before a symptom, and train on under other settings. The first rank has the treatment."""
    facts: dict[str, Any] = {}
    if treatment is not None:
        later = [path for path in checkpoints(session.run) if int(path.name) > treatment.back]
        remove_newest(session.run, min(len(later), len(checkpoints(session.run)) - 1))
        session.treatments = [*session.treatments, treatment.facts]
        facts = {TREATMENTS: session.treatments}
    _reopen(session, facts)
    if treatment is not None:
        _log(session, {TREATMENT: treatment.facts}, say)
        say(
            f"{treatment.symptom} after {treatment.images:,} images: back to {session.game.images:,} images, and on "
            f"with {' '.join(treatment.settings)}"
        )


def _reopen(session: "Session", facts: dict[str, Any]) -> None:
    """Build the game again, with further facts of the run, and restore the newest checkpoint on every rank."""
    session.game = session.built()
    if rank() == 0:
        session.start = open_run(session.run, session.stored, session.restore, session.game.generators).checkpoint
        assert session.start is not None, "the loop saves before it trains"
        session.facts |= facts
        session.slow_down()
    session.synchronise()


def _log(session: "Session", event: dict[str, Any], say: Say) -> None:
    """Truncate the log to the checkpoint, and add a line on why the run went back to it."""
    start = session.start
    assert start is not None
    remove_best(session.run, session.game.images, None if session.scores is None else session.scores.criterion)
    session.truncate_log(say)
    clock = {name: start.numbers[name] for name in ("images", "seconds")}
    line = {**clock, "steps": session.game.steps, **event}
    # Truncating the log removed the lines of earlier returns to this checkpoint: write them again.
    session.rollback_lines = [*(one for one in session.rollback_lines if one["images"] == line["images"]), line]
    for one in session.rollback_lines:
        append_log(session.run, one)
