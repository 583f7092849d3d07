"""The watchers of a run and their state."""

import copy
from collections.abc import Sequence

from torch import Tensor

from zerosum.diagnostics.signals.watcher import ScoreSignals
from zerosum.game.game import Watcher
from zerosum.game.state import State, load_state, state_of
from zerosum.protocols import Stateful

_GROUP = "watcher_"  # prefix of the names of their groups of tensors in a checkpoint


class RunWatchers:
    """The watchers of a run by name: copies of the recipe's, and those given to `train` as they are.

    In checkpoints, the state of the recipe's watchers is named by position, `watcher_0`, and of those given by class,
    `watcher_Probe` and then `watcher_Probe_2`.

    Args:
        recipe: the recipe's watchers, which are copied.
        given: further watchers, which are not part of the recipe.
        signals: whether a last one gathers signals of the scores; it has no state.
    """

    def __init__(self, recipe: Sequence[Watcher], given: Sequence[Watcher] = (), signals: bool = False) -> None:
        self._signals = (ScoreSignals(),) if signals else ()
        self.by_name = {f"{_GROUP}{place}": copy.deepcopy(watcher) for place, watcher in enumerate(recipe)}
        kinds = [type(watcher).__name__ for watcher in given]
        counts = [kinds[: place + 1].count(kind) for place, kind in enumerate(kinds)]
        self._given = [
            f"{_GROUP}{kind}_{count}" if count > 1 else f"{_GROUP}{kind}"
            for kind, count in zip(kinds, counts, strict=True)
        ]
        self.by_name |= zip(self._given, given, strict=True)
        self._first = copy.deepcopy(self.state())

    @property
    def all(self) -> tuple[Watcher, ...]:
        """The watchers, the recipe's first."""
        return (*self.by_name.values(), *self._signals)

    @property
    def _stateful(self) -> dict[str, Stateful]:
        return {name: watcher for name, watcher in self.by_name.items() if isinstance(watcher, Stateful)}

    def state(self) -> dict[str, dict[str, Tensor]]:
        """The state of stateful watchers, by name."""
        return state_of(self._stateful)

    def load_state(self, groups: State) -> None:
        """Load the state from a checkpoint's groups; a given watcher that it lacks gets its initial state.

        Raises `ValueError` where the state does not fit.
        """
        first = {name: self._first[name] for name in self._given if name in self._first}
        load_state(self._stateful, {**first, **groups})

    def changes(self, groups: State) -> list[str]:
        """Return a message for each given watcher that is in the checkpoint and missing now, or the reverse."""
        stored = {name for name in groups if name.startswith(_GROUP) and not name.removeprefix(_GROUP).isdecimal()}
        own = {name for name in self._given if self._first.get(name)}
        kinds = {name: name.removeprefix(_GROUP) for name in stored | own}
        gone = [f"without the watcher {kinds[name]}, whose state is dropped" for name in sorted(stored - own)]
        new = [f"with the watcher {kinds[name]}, which did not observe its beginning" for name in sorted(own - stored)]
        return [f"the run is resumed {change}" for change in (*gone, *new)]
