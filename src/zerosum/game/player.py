"""A player: a network with its optimiser and terms."""

__all__ = ["Objective", "Player", "Schedule", "Term", "WeightProjection", "Wrapper"]

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from torch import Tensor, nn
from torch.optim import Optimizer

from zerosum.game.turn import Turn
from zerosum.protocols import Objective, Schedule, WeightProjection


class Term(Protocol):
    """An addition to a player's loss, whatever the objective."""

    def __call__(self, turn: Turn) -> Tensor:
        """The term's value on this turn, a scalar."""
        ...


@runtime_checkable
class Wrapper(Protocol):
    """A term that wraps another, as a schedule does; it is logged under the name of the wrapped term."""

    @property
    def term(self) -> Term:
        """The wrapped term."""
        ...


@runtime_checkable
class Adjusts(Protocol):
    """An optimiser spec with settings besides the learning rate that change over the run."""

    def adjust(self, optimiser: Optimizer, progress: float) -> None:
        """Set them in the optimiser that it built, before each step, from the progress in [0, 1]."""
        ...


def unwrapped(term: Term) -> Term:
    """The term inside all wrappers."""
    return unwrapped(term.term) if isinstance(term, Wrapper) else term


def _constant(progress: float) -> float:  # noqa: ARG001  a schedule's signature
    return 1.0


@dataclass(eq=False)
class Player:
    """A player of the game: a network, its optimiser, and the terms added to its loss.

    Attributes:
        name: "G" or "D", the prefix of its keys in the log.
        network: the module.
        optimiser: its optimiser; None for a network without parameters, which is never updated.
        terms: additions to the loss.
        after: called with the network after each update, to project its weights.
        rate: learning rate as a multiple of the optimiser's own, from the progress in [0, 1].
        adjust: called with the optimiser and the progress before each step; None where only the rate changes.
        updates: updates so far.
    """

    name: str
    network: nn.Module
    optimiser: Optimizer | None
    terms: tuple[Term, ...] = ()
    after: WeightProjection | None = None
    rate: Callable[[float], float] = _constant
    adjust: Callable[[Optimizer, float], None] | None = None
    updates: int = 0
    parameters: list[nn.Parameter] = field(init=False)
    base_rates: list[float] = field(init=False)

    def __post_init__(self) -> None:
        self.parameters = [p for p in self.network.parameters() if p.requires_grad]
        self.base_rates = [] if self.optimiser is None else [g["lr"] for g in self.optimiser.param_groups]
        if bool(self.parameters) != (self.optimiser is not None):
            raise ValueError(f"player {self.name} needs an optimiser exactly if its network has parameters")

    @property
    def can_skip_steps(self) -> bool:
        """Whether the device itself can skip a step: fused Adam can, where no projection follows it."""
        return self.after is None and (self.optimiser is None or bool(self.optimiser.defaults.get("fused")))

    def step(self, gradients: Sequence[Tensor], progress: float, unless: Tensor | None = None) -> None:
        """Take one step down the given gradients, one for each of `parameters`.

        Args:
            gradients: the gradients.
            progress: of the run, in [0, 1].
            unless: a scalar on the device; where it is 1 nothing is changed, for a player that `can_skip_steps`.
        """
        assert self.optimiser is not None
        if unless is not None:
            self.optimiser.found_inf = unless  # type: ignore[attr-defined]  # what torch's own gradient scaler sets
        factor = self.rate(progress)
        for group, base in zip(self.optimiser.param_groups, self.base_rates, strict=True):
            group["lr"] = base * factor
        if self.adjust is not None:
            self.adjust(self.optimiser, progress)
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter.grad = gradient
        self.optimiser.step()
        if self.after is not None:
            self.after(self.network)
        self.updates += 1

    def term_parts(self, turn: Turn) -> dict[str, Tensor]:
        """The value of each term on a turn, by name; of equal terms all count and are logged, the second as `#2`."""
        parts: dict[str, Tensor] = {}
        for term in self.terms:
            parts[_free_name(f"{self.name}/{type(unwrapped(term)).__name__}", parts)] = term(turn)
        return parts


def _free_name(name: str, taken: Mapping[str, object]) -> str:
    """A name for a part of the loss that is not taken."""
    count = sum(key.split("#")[0] == name for key in taken)
    return f"{name}#{count + 1}" if count else name
