"""Known patches of generated images count as real for D: the mask-aware loss of inpainting."""

__all__ = ["KnownPatches"]

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import adaptive_max_pool2d

from zerosum.game.turn import Turn
from zerosum.objectives.logistic import NonSaturating
from zerosum.protocols import Objective
from zerosum.terms._common import check_player, check_stateless, check_weight


@dataclass(frozen=True)
class KnownPatches:
    """Patches of a generated image in which nothing was hidden count as real: LaMa, Suvorov et al. 2022, section 2.2.

    arXiv 2109.07161. An inpainting generator leaves known pixels as they are. A patch discriminator that has to call
    patches of such pixels generated learns what does not exist. This term of D exchanges their label: with

        L_D = mean over real patches of r(s) + mean over generated patches of f(s),

    it adds weight times the sum over known patches of r(s) - f(s), over the number of all generated patches, up to a
    constant that has no gradient. A score belongs to a known patch where the square of pixels that its place in the
    map of scores stands for has no hidden one; the patch itself is larger and may reach into the hole.

    The condition is a masked image of the sample's sides, as of `Masked`: its last channel is above 0 where pixels are
    known. D returns scores for patches and its maps, as `PatchDiscriminator`, and sees images without augmentation,
    which would move them under the mask.

    Args:
        objective: the objective of the game, whose loss is a sum over real and generated scores, each alone; one
            without a state.
        weight: weight (>= 0); 1 exchanges the labels.
    """

    objective: Objective = NonSaturating()
    weight: float = 1.0

    def __post_init__(self) -> None:
        check_weight("weight", self.weight)
        check_stateless(self, self.objective)

    def __call__(self, turn: Turn) -> Tensor:
        """The change of the loss on this turn, a scalar; raises `ValueError` for another condition, D or objective."""
        check_player(turn, "D", self)
        if self.objective.reads_real:
            raise ValueError(f"KnownPatches needs an objective that takes each score alone; found {self.objective!r}")
        # Elsewhere a constant stands, so the other patches have no gradient, and the means are over all of them.
        known = known_patches(turn)
        chosen = turn.fake.score.flatten(1).where(known, 0.0)
        level = torch.zeros_like(chosen)
        return self.weight * (self.objective.d_loss(chosen, level) - self.objective.d_loss(level, chosen))


def known_patches(turn: Turn) -> Tensor:
    """Which scores of the generated samples belong to known patches, bool `(B, scores)`."""
    x, c = turn.x_fake, turn.c
    if c is None or x.dim() != 4 or c.dim() != 4 or c.shape[1] != x.shape[1] + 1 or c.shape[2:] != x.shape[2:]:
        found = "none" if c is None else f"{tuple(c.shape)}"
        raise ValueError(
            "KnownPatches needs masked images as the condition, of the sample's sides and with one channel more, the "
            f"mask: choose data=Masked(...) and conditional=True; found samples {tuple(x.shape)}, conditions {found}"
        )
    if turn.augment is not None:
        raise ValueError("KnownPatches compares scores with the mask, which augmentation would move: set augment=None")
    scores = turn.fake.score[0].numel()
    scales = {area: scores / area.numel() for area in (m.shape[2:] for m in turn.fake.maps)}
    areas = [area for area, count in scales.items() if count in (1, 2, 3) and scores > 1]
    if not areas:
        raise ValueError("KnownPatches needs a discriminator with a score for each patch, such as PatchDiscriminator")
    hidden = adaptive_max_pool2d((c[:, -1:] <= 0).float(), tuple(areas[-1]))
    return (hidden == 0).flatten(1).repeat(1, int(scales[areas[-1]]))
