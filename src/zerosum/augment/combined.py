"""Instance noise, and chains of augmentations."""

from dataclasses import dataclass, replace

from torch import Tensor

from zerosum.augment._checks import check_strength
from zerosum.augment.schedules import Line
from zerosum.game.game import ReadsScores, Watcher
from zerosum.game.random import derived_seed
from zerosum.game.turn import Augmentation, Turn
from zerosum.protocols import Objective, Schedule, Stateful


@dataclass(frozen=True)
class InstanceNoise:
    """Gaussian noise on real and generated samples, so that the two distributions overlap.

    Sonderby et al. 2017 (arXiv 1610.04490); Arjovsky and Bottou 2017 (arXiv 1701.04862), section 3. It applies to
    samples of any shape.

    Args:
        sigma: standard deviation of the noise (>= 0), in units of the samples.
        schedule: factor of sigma at each progress; by default it decreases to 0 over the run.
    """

    sigma: float = 0.1
    schedule: Schedule = Line()

    def __post_init__(self) -> None:
        check_strength("sigma", self.sigma)

    def __call__(self, x: Tensor, role: str, turn: Turn) -> Tensor:
        """The augmented samples, of the same shape."""
        sigma = self.sigma * self.schedule(turn.clock.progress)
        return x + sigma * turn.draws.normal(f"instance noise {role}", tuple(x.shape)) if sigma else x


@dataclass(frozen=True)
class Chain:
    """One augmentation after another, each with random numbers of its own.

    Args:
        augmentations: in their order, such as `(AdaptivePseudo(), DiffAugment())`.
    """

    augmentations: tuple[Augmentation, ...]

    def __call__(self, x: Tensor, role: str, turn: Turn) -> Tensor:
        """The augmented samples, of the same shape."""
        for place, part in enumerate(self.augmentations):
            draws = replace(turn.draws, seed=derived_seed(turn.draws.seed, "chain", place))
            x = part(x, role, replace(turn, draws=draws))
        return x

    def meet(self, objective: Objective) -> None:
        """Pass the objective to the parts that use scores."""
        for part in self.augmentations:
            if isinstance(part, ReadsScores):
                part.meet(objective)

    def watch(self, player: str, turn: Turn, log: dict[str, Tensor]) -> None:
        """Call the parts that watch."""
        for part in self.augmentations:
            if isinstance(part, Watcher):
                part.watch(player, turn, log)

    def state_dict(self) -> dict[str, Tensor]:
        """The state of stateful parts, with the index of the part as prefix: `0.p`."""
        return {
            f"{place}.{name}": value
            for place, part in enumerate(self.augmentations)
            if isinstance(part, Stateful)
            for name, value in part.state_dict().items()
        }

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Load the state from `state_dict()`."""
        for place, part in enumerate(self.augmentations):
            if isinstance(part, Stateful):
                own = {key.partition(".")[2]: value for key, value in state.items() if key.startswith(f"{place}.")}
                part.load_state_dict(own)
