"""Samples of the target domain stay as they are: CycleGAN."""

from dataclasses import dataclass

from torch import Tensor

from zerosum.game.precision import at_least_float32
from zerosum.game.turn import Turn
from zerosum.terms._common import check_player, check_weight


@dataclass(frozen=True)
class IdentityMapping:
    """weight E |G(x) - x|, x real samples given to G as if they were conditions: CycleGAN, Zhu et al. 2017.

    Section 5.2 of arXiv 1703.10593: it keeps G from changing colours without need. The paper takes half the weight of
    its cycles.

    Args:
        weight: weight (>= 0).
    """

    weight: float = 5.0

    def __post_init__(self) -> None:
        check_weight("weight", self.weight)

    def __call__(self, turn: Turn) -> Tensor:
        """The term on this turn, a scalar >= 0; raises `ValueError` where conditions are not like samples."""
        check_player(turn, "G", self)
        if turn.c is None or turn.c.shape != turn.x.shape or turn.x.dim() != 4:
            found = None if turn.c is None else tuple(turn.c.shape[1:])
            raise ValueError(
                f"IdentityMapping needs conditions that are images of the sample's shape, {tuple(turn.x.shape[1:])}; "
                f"found {found}"
            )
        return self.weight * (at_least_float32(turn.G(turn.z, turn.x)) - turn.x).abs().mean()
