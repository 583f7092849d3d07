"""What the training loop knows of a game: it takes steps, has a state, and holds generators to sample from."""

from collections.abc import Iterator, Mapping
from typing import Protocol

from torch import Tensor, nn

from zerosum.game.micro_batches import Batch
from zerosum.game.state import State

MAIN = "generator"  # the generator that a run shows, scores, reports, and gives when none is named
Groups = dict[str, dict[str, Tensor]]


class TrainableGame(Protocol):
    """A game that can be trained, resumed and sampled, however many networks play in it.

    `Game`, of one generator and one discriminator, is one. What observes or regularises the updates is the game's own
    affair; the loop calls what is below and nothing else.
    """

    @property
    def images(self) -> int:
        """Real samples seen so far, over all ranks: the run's clock, which a step moves on."""
        ...

    @property
    def steps(self) -> int:
        """Updates of the generator so far, for the log."""
        ...

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """The networks that learn, by name: their parameters are counted, and checked before they are saved."""
        ...

    @property
    def generators(self) -> Mapping[str, nn.Module]:
        """What can be sampled from, `G(z[, c]) -> x` in evaluation mode, by name; one is called `generator`.

        Each name is that of a group in `state_dict()`, which holds the module's weights.
        """
        ...

    def step(self, batches: Iterator[Batch]) -> dict[str, Tensor]:
        """Take one training step on as many batches as it needs, and return what to log, scalars on the device."""
        ...

    def check_finite(self) -> None:
        """Raise `NonFiniteError` where a step so far met NaN or Inf that it has not raised yet."""
        ...

    def slow_down(self, factor: float) -> None:
        """Multiply the learning rates of all optimisers by a factor, once after the game was built."""
        ...

    def state_dict(self) -> Groups:
        """All that decides how the game goes on, as groups of named tensors; a group becomes a file of a checkpoint.

        It holds weights, optimisers, averages, the memory of parts, and counts. Random numbers derive from the seed
        and the position of a batch, and are not part of it. The same on every rank.
        """
        ...

    def load_state_dict(self, state: State) -> None:
        """Go on from a state; raises `ValueError` where it is of another game, and may then be half changed."""
        ...

    def load_weights(self, state: State, images: int) -> None:
        """Start from the weights of another run's state, which had seen `images`; all else starts afresh.

        Raises `ValueError` where they do not fit.
        """
        ...
