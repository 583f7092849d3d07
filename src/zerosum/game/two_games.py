"""Two games that share each batch: one translates a to b, the other b to a."""

__all__ = ()

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from torch import Tensor, nn

from zerosum.game.batch import Batch
from zerosum.game.distributed import ranks
from zerosum.game.game import Game, Log
from zerosum.game.precision import at_least_float32
from zerosum.game.state import State
from zerosum.game.trainable import MAIN, Groups
from zerosum.game.turn import Generator, Turn

_T = TypeVar("_T")
BACKWARD = "backward"
_BACK = "back_"  # prefix of the second game's networks, groups of tensors and keys in the log


@dataclass(frozen=True, eq=False)
class CycleTerm:
    """weight (E |F(G(a)) - a| + E |G(F(b)) - b|), F the generator of the other game: Zhu et al. 2017, equation 2.

    Both parts are differentiated by the parameters of G alone, as every loss here; the other game has the same term for
    F. In G's turn a is the condition and b the real sample.

    Args:
        other: F.
        weight: weight (>= 0).
        noise: standard deviation of noise added to G(a) before F, against information hidden in small details.
    """

    other: Generator
    weight: float
    noise: float

    def __call__(self, turn: Turn) -> Tensor:
        """The term on this turn, a scalar >= 0."""
        assert turn.c is not None
        made = turn.x_fake
        if self.noise:
            made = made + self.noise * turn.draws.normal("cycle", tuple(made.shape)).to(made)
        there = at_least_float32(self.other(turn.z, made))
        back = at_least_float32(turn.G(turn.z, at_least_float32(self.other(turn.z, turn.x)).detach()))
        return self.weight * ((there - turn.c).abs().mean() + (back - turn.x).abs().mean())


@dataclass(eq=False)
class TwoGames:
    """Two games on the same batches, with real samples and conditions exchanged in the second.

    Attributes:
        forward: translates a, the condition, to b, the real sample.
        backward: translates b to a.
    """

    forward: Game
    backward: Game
    games: tuple[Game, Game] = field(init=False)

    def __post_init__(self) -> None:
        self.games = (self.forward, self.backward)

    @property
    def images(self) -> int:
        """Real samples of b that the discriminator of the first game has seen."""
        return self.forward.images

    @property
    def steps(self) -> int:
        """Updates of the first generator."""
        return self.forward.steps

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """G and D of both games."""
        return {**self.forward.networks, **_prefixed(self.backward.networks)}

    @property
    def generators(self) -> Mapping[str, nn.Module]:
        """The moving averages of both generators."""
        return {**self.forward.generators, **_prefixed(self.backward.generators)}

    def step(self, batches: Iterator[Batch]) -> Log:
        """An update of both discriminators, then of both generators."""
        batch = next(batches)
        assert batch.c is not None
        both = (batch, Batch(batch.c, batch.x, batch.position))
        logs: list[Log] = [game.update_D(own) for game, own in zip(self.games, both, strict=True)]
        for game, own, log in zip(self.games, both, logs, strict=True):
            log |= game.update_G(own)
        for game in self.games:
            game.ema.update(len(batch.x) * ranks(), game.images)
        return {**logs[0], **_prefixed(logs[1])}

    def check_finite(self) -> None:
        """Every update has been checked."""

    def slow_down(self, factor: float) -> None:
        """Multiply the learning rates of all players."""
        for game in self.games:
            game.slow_down(factor)

    def state_dict(self) -> Groups:
        """The groups of both games."""
        return {**self.forward.state_dict(), **_prefixed(self.backward.state_dict())}

    def load_state_dict(self, state: State) -> None:
        """Load a state; raises `ValueError` where it is of another game."""
        self.forward.load_state_dict(state)
        self.backward.load_state_dict(_of_backward(state))

    def load_weights(self, state: State, images: int) -> None:
        """Start from the weights of another run of such a game."""
        self.forward.load_weights(state, images)
        self.backward.load_weights(_of_backward(state), images)


def _there(name: str) -> str:
    """The name, of a network or a group, in the second game."""
    return BACKWARD if name == MAIN else _BACK + name


def _prefixed(named: Mapping[str, _T]) -> dict[str, _T]:
    return {_there(name): value for name, value in named.items()}


def _of_backward(state: State) -> State:
    """The groups of the second game, by the names that it has for them."""
    own = {name.removeprefix(_BACK): group for name, group in state.items() if name.startswith(_BACK)}
    return {**own, MAIN: state.get(BACKWARD, {})}
