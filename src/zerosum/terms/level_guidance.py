"""Guidance of a generator's early layers, by what its picture looks like at each of its depths."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from zerosum.game.distributed import everyone
from zerosum.game.player import Term, unwrapped
from zerosum.game.random import derived_seed
from zerosum.game.turn import Turn
from zerosum.objectives.relativistic import Relativistic
from zerosum.protocols import Objective
from zerosum.terms._common import check_forgetful, check_weight


@runtime_checkable
class ShowsLevels(Protocol):
    """A generator whose picture can be seen at several depths."""

    def levels(self, z: Tensor, c: Tensor | None = None) -> tuple[Tensor, ...]:
        """Pictures `(B, C, H, W)`, from the shallowest depth to the full one, which is what G makes of z."""
        ...


@runtime_checkable
class JudgesLevels(Protocol):
    """A discriminator that takes the pictures of several depths, stacked along the channels, as one sample."""

    @property
    def levels(self) -> int:
        """How many."""
        ...


@dataclass(frozen=True)
class LevelGuidance:
    """The game once more, on G's picture at all its depths under noise: multi-level noise-perturbed guidance of GAT.

    Hyun et al. 2025 (arXiv 2509.24935), MNG: with losses on its last picture alone, a deep G leaves its early layers
    idle. So D also judges stacks of K pictures `(B, K C, H, W)`, of G's depths i = 0 to K - 1 or K times a real one,
    each under noise that grows towards the shallow end,

        y_i = (1 - t_i) (x_i + w_i),   t_i = 1 - least^(1 - i / (K - 1)) + floor,

    where w_i is normal with standard deviation t_i / (1 - t_i) for each number of the picture. As in the authors' code,
    w_i is w_(i+1) and further noise, so a deeper picture tells all that D can know of a shallower real one, and their
    noise cannot be averaged away. Early layers learn what shows through much noise, coarse shapes, late ones details.

    It belongs among both players' terms. The paper judges stacks and nothing else; here the game's own loss judges the
    picture that G makes, without noise, and it counts once: in the stack of G's move it is a constant, which only the
    shallower pictures are seen beside. G runs anew for its depths. D has to judge K pictures together, as
    `TransformerDiscriminator(levels=4)` does. The penalties among `d_terms` do not see the stacks, those here see
    nothing else.

    Args:
        objective: what both want of the stacks' scores; one without memory.
        penalties: terms of D on the stacks, such as `(R1(gamma=1.0), R2(gamma=1.0))`, without memory too.
        weight: weight (>= 0).
        least: share of the picture that is left at the shallowest depth, before the floor (floor < least <= 1).
        floor: share of noise at the full depth (>= 0).
    """

    objective: Objective = Relativistic()
    penalties: tuple[Term, ...] = ()
    weight: float = 1.0
    least: float = 0.125
    floor: float = 0.01

    def __post_init__(self) -> None:
        check_weight("weight", self.weight)
        if not 0 <= self.floor < self.least <= 1:
            raise ValueError(f"shares of noise need 0 <= floor < least <= 1; found {self.floor} and {self.least}")
        check_forgetful(self, self.objective, *map(unwrapped, self.penalties))

    def __call__(self, turn: Turn) -> Tensor:
        """The loss of the player whose turn it is, a scalar.

        Raises `ValueError` where G shows no levels, and where D does not judge as many together.
        """
        table = self._stacked(turn)
        if turn.player == "D":
            loss = self.objective.d_loss(*everyone([table.real.score, table.fake.score]))
            return self.weight * torch.stack([loss, *(term(table) for term in self.penalties)]).sum()
        read = [table.fake.score, table.real.score] if self.objective.reads_real else [table.fake.score]
        return self.weight * self.objective.g_loss(*everyone(read))

    def noise_shares(self, levels: int) -> Tensor:
        """t for each of K >= 2 levels, the shallowest first, float64 `(K,)`."""
        i = torch.arange(levels, dtype=torch.float64)
        return 1 - self.least ** (1 - i / (levels - 1)) + self.floor

    def _stacked(self, turn: Turn) -> Turn:
        """The turn with stacks under noise in place of the samples."""
        if not isinstance(turn.G, ShowsLevels):
            raise ValueError(f"LevelGuidance needs a G with levels, as TransformerGenerator has them; found {turn.G!r}")
        ours = turn.player == "G"
        with torch.set_grad_enabled(ours):
            *shallow, deepest = turn.G.levels(turn.z, turn.c)
        levels = len(shallow) + 1
        # A D that looks ahead is a function, of a network that was seen on D's own moves.
        if isinstance(turn.D, nn.Module) and not (isinstance(turn.D, JudgesLevels) and turn.D.levels == levels):
            raise ValueError(
                f"LevelGuidance needs a D that judges {levels} levels together, "
                f"as TransformerDiscriminator(levels={levels}) does; found {turn.D!r}"
            )
        draws = replace(turn.draws, seed=derived_seed(turn.draws.seed, "level guidance"))
        shape = (len(turn.x), levels, *turn.x.shape[1:])
        real = self._noisy([turn.x.detach()] * levels, draws.normal("real", shape))
        fake = self._noisy([*shallow, deepest.detach()], draws.normal("fake", shape))
        if not ours:
            real, fake = real.requires_grad_(), fake.requires_grad_()  # for penalties on the slope by them
        return replace(turn, x=real, x_fake=fake, draws=draws)

    def _noisy(self, pictures: Sequence[Tensor], noise: Tensor) -> Tensor:
        """Pictures `(B, C, H, W)` under noise made of standard normal `(B, K, C, H, W)`, stacked along the channels."""
        share = self.noise_shares(len(pictures)).view(-1, 1, 1, 1)
        variance = (share / (1 - share)).square()
        further = (variance - torch.cat([variance[1:], torch.zeros_like(variance[:1])])).sqrt()
        x = torch.stack([*pictures], 1)
        walk = (noise.to(x) * further.to(x)).flip(1).cumsum(1).flip(1)
        return ((1 - share).to(x) * (x + walk)).flatten(1, 2)
