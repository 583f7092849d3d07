"""The trained discriminator, from a run's newest checkpoint."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from zerosum._disk import read_text
from zerosum._paths import AnyPath, user_path
from zerosum.conditions.condition import Condition
from zerosum.data.scaling import PointScaling, scaling_of
from zerosum.game.fitting import load_fitting
from zerosum.game.judgement import Judgement
from zerosum.networks.sizes import built
from zerosum.recipes.own_networks import discriminator_spec
from zerosum.recipes.reader import NOTHING, Known, read_recipe
from zerosum.recipes.recipe import Recipe
from zerosum.runs.checkpoint import newest_checkpoint
from zerosum.runs.facts import check_facts
from zerosum.runs.files import MOST_TEXT, RECIPE
from zerosum.runs.stored_condition import CONDITION, restored_condition

_BATCH = 256  # samples scored together


@dataclass(frozen=True, eq=False)
class TrainedDiscriminator:
    """A discriminator that scores samples.

    Attributes:
        recipe: the recipe it was trained with.
        module: the network, `D(x[, c]) -> score or Judgement`, in evaluation mode.
        shape: shape of one sample, `(C, H, W)` or `(d,)`.
        images: number of real samples seen in training.
        condition: the kind of its condition c; None if unconditional.
        scaling: maps points of the data to its input; None where these are the same.
    """

    recipe: Recipe
    module: nn.Module
    shape: tuple[int, ...]
    images: int
    condition: Condition | None = None
    scaling: PointScaling | None = None

    @torch.no_grad()
    def __call__(self, x: ArrayLike | Tensor, condition: Any = None) -> NDArray[np.float32]:
        """The score of each sample, float32 `(N, ...)`; higher is more real.

        The recipe's augmentation is not applied.

        Args:
            x: uint8 images `(N, H, W, C)`, as returned by `TrainedGenerator.sample`; or floats `(N, *shape)`: images in
                [-1, 1], points in the data's units, latents of the run's autoencoder.
            condition: labels or conditions, as in `TrainedGenerator.sample`; by default the conditions of `sample(N)`.

        Raises:
            ValueError: for samples of another shape, and for conditions it was not trained on.
        """
        samples = self._samples(x)
        if condition is not None and self.condition is None:
            raise ValueError(f"this {self.recipe.name} discriminator is unconditional: omit condition")
        c = None if self.condition is None else self.condition.encode(self.condition.values(len(samples), condition))
        device = next((p.device for p in self.module.parameters()), torch.device("cpu"))
        scores = []
        for start in range(0, len(samples), _BATCH):
            given = [t[start : start + _BATCH].to(device) for t in (samples, c) if t is not None]
            scores.append(Judgement.of(self.module(*given)).score.float().cpu())
        found: NDArray[np.float32] = torch.cat(scores).numpy()
        return found

    def _samples(self, x: ArrayLike | Tensor) -> Tensor:
        given = x.detach().cpu() if isinstance(x, Tensor) else torch.as_tensor(np.asarray(x))
        if given.dtype == torch.uint8 and len(self.shape) == 3:
            samples = given.float().div(127.5).sub(1).movedim(-1, min(1, given.dim() - 1))
        else:
            samples = given
        if samples.shape[1:] != self.shape or not len(samples):
            wanted = f"floats (N, {', '.join(map(str, self.shape))})"
            if len(self.shape) == 3:
                wanted = f"uint8 images (N, {self.shape[1]}, {self.shape[2]}, {self.shape[0]}) or {wanted}"
            raise ValueError(f"x should be {wanted}; found {str(given.dtype)[6:]} {tuple(given.shape)}")
        return samples.float() if self.scaling is None else self.scaling.encode(samples)


def load_discriminator(run: AnyPath, known: Known = NOTHING) -> TrainedDiscriminator:
    """The discriminator of a run's newest checkpoint; `known` needs only the custom classes of the discriminator.

    Raises `ValueError` when there is no checkpoint, or the run's game has no discriminator.
    """
    path = user_path(run)
    found = newest_checkpoint(path)
    if found is None:
        raise ValueError(f"{path} has no checkpoint, which is the only file with the discriminator")
    checkpoint = found[1]
    recipe = read_recipe(read_text(path / RECIPE, MOST_TEXT), known, opaque=True)
    check_facts(checkpoint.numbers)
    shape = tuple(checkpoint.numbers["shape"])
    condition = restored_condition(checkpoint.numbers, checkpoint.groups.get(CONDITION, {}), known)
    if recipe.game is not None or "D" not in checkpoint.groups:
        raise ValueError(f"the game of {recipe.name} has no discriminator named D")
    module = built(lambda: discriminator_spec(recipe.discriminator).build(shape, condition))
    load_fitting(module, checkpoint.groups["D"], "the discriminator of its newest checkpoint")
    module = module.eval().requires_grad_(False)
    scaling = scaling_of(checkpoint.numbers, checkpoint.groups.get("coding", {}))
    return TrainedDiscriminator(recipe, module, shape, checkpoint.numbers["images"], condition, scaling)
