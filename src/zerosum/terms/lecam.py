"""LeCam regularisation of D by running averages of its scores."""

from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn.functional import relu

from zerosum.game.turn import Turn
from zerosum.terms._common import check_player, check_weight


@dataclass(frozen=True)
class LeCam:
    """weight (E relu(D(x) - a_F)^2 + E relu(a_R - D(G(z)))^2), a the running means of D's scores: Tseng et al. 2021.

    arXiv 2104.03310: real scores are pulled towards the mean a_F of the fake ones, and fake scores towards the mean a_R
    of the real ones, which keeps D from overfitting limited data. As in the authors' code, only scores on the far side
    of the other mean count; R_LC as the paper prints it, without relu, is `one_sided=False`. Weight and decay are those
    of the authors' code for BigGAN on CIFAR-10, which starts after 1,000 updates: `start=1_000`.

    The means are over D's updates and all ranks, from the first update on, a <- decay a + (1 - decay) E D, with bias
    correction.

    Args:
        weight: lambda (>= 0); the authors use 0.3 for BigGAN on CIFAR-10 and far less for StyleGAN2, 3e-7.
        decay: decay of the means per update of D, in [0, 1).
        start: updates of D before which the term is 0, at least 0. In the first update there are no means yet, and it
            is 0 in any case.
        one_sided: whether a real score below a_F and a fake score above a_R are free, as in the authors' code.
    """

    weight: float = 0.3
    decay: float = 0.9
    start: int = 0
    one_sided: bool = True
    # Exponentially weighted sums, over the updates, of the mean real score, the mean fake score, and of 1.
    sums: Tensor = field(
        default_factory=lambda: torch.zeros(3, dtype=torch.float64), init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        check_weight("weight", self.weight)
        if not 0 <= self.decay < 1:
            raise ValueError(f"decay is that of a running mean, in [0, 1); found {self.decay}")
        if self.start < 0:
            raise ValueError(f"start counts updates of D, at least 0; found {self.start}")

    def __call__(self, turn: Turn) -> Tensor:
        """The penalty on this turn, a scalar >= 0."""
        check_player(turn, "D", self)
        real, fake, updates = self.sums.tolist()
        if not updates or turn.clock.updates < self.start:
            return turn.zero()
        on_real, on_fake = turn.real.score - fake / updates, real / updates - turn.fake.score
        if self.one_sided:
            on_real, on_fake = relu(on_real), relu(on_fake)
        distance: Tensor = on_real.square().mean() + on_fake.square().mean()
        return self.weight * distance

    def watch(self, player: str, turn: Turn, log: dict[str, Tensor]) -> None:
        """After an update of D: update the running means with the mean scores of all ranks."""
        if player != "D":
            return
        scores = torch.stack([turn.real.score.detach().mean(), turn.fake.score.detach().mean()])
        now = turn.average(scores).cpu().double()
        self.sums.mul_(self.decay).add_(torch.cat([now, torch.ones(1, dtype=torch.float64)]))

    def state_dict(self) -> dict[str, Tensor]:
        """The sums from which the means are computed."""
        return {"sums": self.sums.clone()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Load the sums from `state_dict()`."""
        self.sums.copy_(state["sums"])
