"""What an objective around another needs of the one inside."""

from typing import Protocol, runtime_checkable

from torch import Tensor

from zerosum.objectives._watching import Watched


class Objective(Protocol):
    """What the two players want: scores `(B, ...)` in, scalar out."""

    @property
    def reads_real(self) -> bool:
        """Whether g_loss also needs the scores of real samples."""
        ...

    def d_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """What the discriminator minimises."""
        ...

    def g_loss(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """What the generator minimises."""
        ...


@runtime_checkable
class Watching(Protocol):
    """An objective that is told of every move."""

    def watch(self, player: str, turn: Watched, log: dict[str, Tensor]) -> None:
        """Called after each move of `player` with its turn and its log."""
        ...


@runtime_checkable
class Remembering(Protocol):
    """An objective with memory of its own."""

    def state_dict(self) -> dict[str, Tensor]:
        """Its memory, as named tensors."""
        ...

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Take the memory back."""
        ...
