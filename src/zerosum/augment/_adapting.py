"""A probability that rises while D overfits and falls while it does not."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from zerosum.augment._checks import check_probability
from zerosum.game.turn import Turn


def _zero() -> Tensor:
    return torch.zeros((), dtype=torch.float64)


def check_adaptation(target: float, every: int, images: int, limit: float) -> None:
    """Raises `ValueError` where p could not be led by these."""
    if not -1 < target < 1:
        raise ValueError(f"target is a mean of signs to hold, in (-1, 1); found {target}")
    if every < 1:
        raise ValueError(f"every counts moves of D from one change of p to the next, at least 1; found {every}")
    if images < 1:
        raise ValueError(f"images counts those in which p can rise from 0 to 1, at least 1; found {images}")
    check_probability("limit", limit)


@dataclass(eq=False)
class Adaptation:
    """The probability p and what has been seen of D since it last changed. It stays on the CPU, in float64.

    `paired` is of the game: whether a score counts only beside one of the other side, as in relativistic games.
    """

    p: Tensor = field(default_factory=_zero)
    signs: Tensor = field(default_factory=_zero)
    seen: Tensor = field(default_factory=_zero)
    updates: Tensor = field(default_factory=_zero)
    paired: bool = False

    def after(self, turn: Turn, target: float, every: int, images: int, limit: float) -> Tensor:
        """Take in a move of D, change p if it is time, and return this move's r = E[sign D(x)].

        In a game of pairs, where a score by itself says nothing, r = E[sign(D(x) - D(G(z)))]. It is that of all ranks
        and, over several moves, of all samples. p goes up by the samples seen over `images` where r is above the
        target, down by as much where it is below, and stays in [0, limit].
        """
        batch = len(turn.x) * turn.draws.ranks
        scores = turn.real.score - turn.fake.score if self.paired else turn.real.score
        r = turn.average(scores.detach().sign().mean())
        self.signs += batch * r.to(self.signs)
        self.seen += batch
        self.updates += 1
        if self.updates >= every:
            direction = (self.signs / self.seen - target).sign()
            self.p.add_(direction * self.seen / images).clamp_(0, limit)
            for counter in (self.signs, self.seen, self.updates):
                counter.zero_()
        return r

    def state_dict(self) -> dict[str, Tensor]:
        """All four numbers, each a scalar."""
        return {name: value.clone() for name, value in self._numbers().items()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Take the numbers back."""
        for name, value in self._numbers().items():
            value.copy_(state[name])

    def _numbers(self) -> dict[str, Tensor]:
        return {"p": self.p, "signs": self.signs, "seen": self.seen, "moves": self.updates}
