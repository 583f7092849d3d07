"""Multi-level guidance of a generator's early layers, by losses on its image at each depth."""

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
from zerosum.terms._common import check_stateless, check_weight


@runtime_checkable
class ReturnsLevels(Protocol):
    """A generator that returns its image at several depths."""

    def levels(self, z: Tensor, c: Tensor | None = None) -> tuple[Tensor, ...]:
        """Images `(B, C, H, W)`, from the shallowest depth to the full one, G(z)."""
        ...


@runtime_checkable
class ScoresLevels(Protocol):
    """A discriminator that takes the images of several depths, stacked along the channels, as one sample."""

    @property
    def levels(self) -> int:
        """Number of depths."""
        ...


@dataclass(frozen=True)
class LevelGuidance:
    """An adversarial loss on noisy images of all depths of G: multi-level noise-perturbed guidance (MNG) of GAT.

    Hyun et al. 2025 (arXiv 2509.24935): with a loss on its final image alone, a deep G hardly uses its early layers. So
    D also scores stacks of K images `(B, K C, H, W)`, of G's depths i = 0 to K - 1 or K times a real one, each with
    noise that grows towards the shallow end,

        y_i = (1 - t_i) (x_i + w_i),   t_i = 1 - least^(1 - i / (K - 1)) + floor,

    where w_i is normal with standard deviation t_i / (1 - t_i) for each element of the image. As in the authors' code,
    w_i is w_(i+1) plus independent noise, so a deeper real image contains all the information of a shallower one, and
    the noise cannot be averaged out. Early layers learn coarse shapes, which are visible under strong noise, late ones
    details.

    It belongs among both players' terms. The paper uses stacks only. Here the recipe's objective takes the final
    image of G without noise, and in the stack of G's update that image is detached, so that it counts once. G is run
    again for its depths. D has to score K images together, as `TransformerDiscriminator(levels=4)` does. The penalties
    among `d_terms` do not apply to the stacks, those given here apply to the stacks only.

    Args:
        objective: the objective on the scores of the stacks; one without a state.
        penalties: terms of D on the stacks, such as `(R1(gamma=1.0), R2(gamma=1.0))`, without a state too.
        weight: weight (>= 0).
        least: share of the image that is left at the shallowest depth, before the floor (floor < least <= 1).
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
        check_stateless(self, self.objective, *map(unwrapped, self.penalties))

    def __call__(self, turn: Turn) -> Tensor:
        """The loss of the player that is updated, a scalar.

        Raises `ValueError` where G returns no levels, and where D does not score as many together.
        """
        stacked = self._stacked(turn)
        if turn.player == "D":
            loss = self.objective.d_loss(*everyone([stacked.real.score, stacked.fake.score]))
            return self.weight * torch.stack([loss, *(term(stacked) for term in self.penalties)]).sum()
        scores = [stacked.fake.score, stacked.real.score] if self.objective.reads_real else [stacked.fake.score]
        return self.weight * self.objective.g_loss(*everyone(scores))

    def noise_shares(self, levels: int) -> Tensor:
        """t for each of K >= 2 levels, the shallowest first, float64 `(K,)`."""
        i = torch.arange(levels, dtype=torch.float64)
        return 1 - self.least ** (1 - i / (levels - 1)) + self.floor

    def _stacked(self, turn: Turn) -> Turn:
        """The turn with noisy stacks in place of the samples."""
        if not isinstance(turn.G, ReturnsLevels):
            raise ValueError(f"LevelGuidance needs a G with levels, as TransformerGenerator has them; found {turn.G!r}")
        ours = turn.player == "G"
        with torch.set_grad_enabled(ours):
            *shallow, deepest = turn.G.levels(turn.z, turn.c)
        levels = len(shallow) + 1
        # An unrolled D is a function; its network was checked in D's own updates.
        if isinstance(turn.D, nn.Module) and not (isinstance(turn.D, ScoresLevels) and turn.D.levels == levels):
            raise ValueError(
                f"LevelGuidance needs a D that scores {levels} levels together, "
                f"as TransformerDiscriminator(levels={levels}) does; found {turn.D!r}"
            )
        draws = replace(turn.draws, seed=derived_seed(turn.draws.seed, "level guidance"))
        shape = (len(turn.x), levels, *turn.x.shape[1:])
        real = self._noisy([turn.x.detach()] * levels, draws.normal("real", shape))
        fake = self._noisy([*shallow, deepest.detach()], draws.normal("fake", shape))
        if not ours:
            real, fake = real.requires_grad_(), fake.requires_grad_()  # for gradient penalties
        return replace(turn, x=real, x_fake=fake, draws=draws)

    def _noisy(self, images: Sequence[Tensor], noise: Tensor) -> Tensor:
        """Images `(B, C, H, W)` with scaled standard normal noise `(B, K, C, H, W)`, stacked along the channels."""
        share = self.noise_shares(len(images)).view(-1, 1, 1, 1)
        variance = (share / (1 - share)).square()
        further = (variance - torch.cat([variance[1:], torch.zeros_like(variance[:1])])).sqrt()
        x = torch.stack([*images], 1)
        noise, further, kept = (numbers.to(x, non_blocking=True) for numbers in (noise, further, 1 - share))
        walk = (noise * further).flip(1).cumsum(1).flip(1)
        return (kept * (x + walk)).flatten(1, 2)
