"""The check-ups of a run: when they are due, on all processes alike, and their state in checkpoints."""

__all__ = ()

from collections.abc import Callable, Mapping

from torch import Tensor

from zerosum.data.dataset import Dataset
from zerosum.diagnostics.signals.check_ups import CheckUps
from zerosum.diagnostics.signals.names import SIGNAL
from zerosum.game.distributed import rank
from zerosum.game.state import State
from zerosum.game.trainable import TrainableGame
from zerosum.recipes.recipe import Recipe
from zerosum.training.ranks import RankGroup

_GROUP = "signals"  # the name of their state among a checkpoint's groups


class RunCheckUps:
    """The check-ups of a run; without `on` there are none.

    Args:
        on: whether signals are gathered.
        recipe: the recipe.
        dataset: the opened data.
        group: the processes of the run.
        images: images seen at the start.
        groups: the groups of the checkpoint at the start; empty for a new run.
    """

    def __init__(
        self, on: bool, recipe: Recipe, dataset: Dataset, group: RankGroup, images: int, groups: State
    ) -> None:
        self.group = group
        self._own = CheckUps(recipe, dataset, group.device, images) if on else None
        if self._own is not None:
            self._own.load_state_dict(groups.get(_GROUP, {}))

    def updates(self, game: TrainableGame) -> dict[str, Tensor]:
        """After each iteration: the signals of its update, in the two iterations after a check-up."""
        if self._own is None or not self._own.updates.kept:
            return {}
        return {SIGNAL + name: value for name, value in self._own.updates.go_on(game.networks).items()}

    def take(self, game: TrainableGame, say: Callable[[str], None]) -> Mapping[str, float]:
        """After each iteration: the signals of a check-up if it is due. An error in one ends them, and not the run.

        Every process takes it, so that what networks exchange among processes is the same on all; the first one returns
        signals to log.
        """
        own = self._own
        if own is None or not own.is_due(game.images):
            return {}
        game.check_finite()
        found: dict[str, float] = {}
        failed = _failure(own.read)
        if not self.group.maximum(bool(failed)):
            failed = _failure(lambda: found.update(own.take(game)))
        if self.group.maximum(bool(failed)):
            say(f"no signals from {game.images:,} images on: {failed or 'an error in another process'}")
            self._own = None
            return {}
        return found if rank() == 0 else {}

    def state(self) -> dict[str, dict[str, Tensor]]:
        """Their state as a group of a checkpoint; none before the first."""
        state = {} if self._own is None else self._own.state_dict()
        return {_GROUP: state} if state else {}


def _failure(work: Callable[[], None]) -> str:
    """What went wrong in some work; empty if nothing did."""
    try:
        work()
    except Exception as error:  # noqa: BLE001  # of any kind, as data and networks may be the user's
        return f"{type(error).__name__}: {error}"
    return ""
