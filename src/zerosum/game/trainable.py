"""What the training loop needs of a game: training steps, a state, and generators to sample from."""

from collections.abc import Iterator, Mapping
from typing import Protocol

from torch import Tensor, nn

from zerosum.game.batch import Batch
from zerosum.game.state import State

MAIN = "generator"  # the generator that a run samples, evaluates and reports, and the default of `load`
Groups = dict[str, dict[str, Tensor]]


class TrainableGame(Protocol):
    """A game that can be trained, resumed and sampled, with any number of networks.

    `Game`, of one generator and one discriminator, is one. The loop calls the methods below and nothing else.
    """

    @property
    def images(self) -> int:
        """Real samples seen so far, over all ranks: the progress of a run is counted in them."""
        ...

    @property
    def steps(self) -> int:
        """Updates of the generator so far, for the log."""
        ...

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """The trained networks, by name: their parameters are counted, and checked before they are saved."""
        ...

    @property
    def generators(self) -> Mapping[str, nn.Module]:
        """The modules to sample from, `G(z[, c]) -> x` in evaluation mode, by name; one is called `generator`.

        Each name is that of a group in `state_dict()`, which holds the module's weights.
        """
        ...

    def step(self, batches: Iterator[Batch]) -> dict[str, Tensor]:
        """Take one training step on as many batches as it needs, and return the log, scalars on the device."""
        ...

    def check_finite(self) -> None:
        """Raise `NonFiniteError` where a step so far met NaN or Inf that it has not raised yet."""
        ...

    def slow_down(self, factor: float) -> None:
        """Multiply the learning rates of all optimisers by a factor, once after the game was built."""
        ...

    def state_dict(self) -> Groups:
        """Everything needed to resume, as groups of named tensors; each group becomes a file of a checkpoint.

        It holds weights, optimisers, averages, the state of parts, and counts. Random numbers derive from the seed
        and the position of a batch, and are not part of it. The same on every rank.
        """
        ...

    def load_state_dict(self, state: State) -> None:
        """Load a state; raises `ValueError` where it is of another game, and may then be partly loaded."""
        ...

    def load_weights(self, state: State, images: int) -> None:
        """Start from the weights of another run's state, which had seen `images`; everything else starts new.

        Raises `ValueError` where they do not fit.
        """
        ...
