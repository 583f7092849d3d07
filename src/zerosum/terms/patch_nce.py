"""A contrast of patches of input and output: CUT."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from zerosum.game.precision import at_least_float32
from zerosum.game.turn import Turn
from zerosum.terms._common import check_player, check_weight


@runtime_checkable
class Contrasting(Protocol):
    """A generator that embeds patches of images."""

    def patches(self, x: Tensor, places: Tensor) -> list[Tensor]:
        """Unit vectors `(B, n, size)`, one tensor per layer, of n patches of images `(B, C, H, W)`.

        `places` are the patches' relative places, in [0, 1), the same n for all images and layers.
        """
        ...


@dataclass(frozen=True)
class PatchNCE:
    """weight E -log softmax_j(<q_i, k_j> / t)_i, q_i of patch i of G(c) and k_j of patches j of c: Park et al. 2020.

    Equations 3 and 4 of CUT (arXiv 2007.15651): by G's own encoder, a patch of the translated image should be nearer to
    the patch of the input at its place than to the other patches of the same input. Keys are not differentiated. With
    `identity` the same is asked of real samples x and G(x), so that images of the target domain stay as they are.

    Args:
        weight: weight (>= 0).
        temperature: t (> 0).
        count: patches of each image (>= 2).
        identity: whether to add the same term on real samples.
    """

    weight: float = 1.0
    temperature: float = 0.07
    count: int = 256
    identity: bool = True

    def __post_init__(self) -> None:
        check_weight("weight", self.weight)
        if not self.temperature > 0 or self.count < 2:
            found = f"{self.temperature} and {self.count}"
            raise ValueError(f"PatchNCE takes a temperature above 0 and a count of at least 2; found {found}")

    def __call__(self, turn: Turn) -> Tensor:
        """The term on this turn, a scalar >= 0; raises `ValueError` where G does not embed patches."""
        check_player(turn, "G", self)
        if not isinstance(turn.G, Contrasting) or turn.c is None:
            raise ValueError(
                f"PatchNCE needs a G that embeds patches of images, as Translator(contrast=True); found "
                f"{type(turn.G).__name__}"
            )
        total = self._contrast(turn, turn.G, turn.c, turn.x_fake)
        if self.identity:
            same = at_least_float32(turn.G(turn.z, turn.x))
            total = total + self._contrast(turn, turn.G, turn.x, same)
        return self.weight * total

    def _contrast(self, turn: Turn, G: Contrasting, source: Tensor, made: Tensor) -> Tensor:
        places = torch.rand(self.count, 2, generator=turn.draws.stream("patches"))
        queries = G.patches(made, places)
        keys = [key.detach() for key in G.patches(source, places)]
        losses = [self._of_layer(*pair) for pair in zip(queries, keys, strict=True)]
        return torch.stack(losses).mean()

    def _of_layer(self, queries: Tensor, keys: Tensor) -> Tensor:
        with torch.autocast(queries.device.type, enabled=False):
            logits = queries @ keys.transpose(1, 2) / self.temperature
        own = torch.arange(logits.shape[1], device=logits.device).expand(len(logits), -1)
        return cross_entropy(logits.flatten(0, 1), own.flatten())
