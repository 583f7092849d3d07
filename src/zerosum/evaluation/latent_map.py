"""A trained generator and an extractor's network as a map of latents to features, without rounding to 8 bits."""

__all__ = ()

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from zerosum.evaluation.sets import SampleSet
from zerosum.features.extractor import Extractor
from zerosum.features.feature_network import Differentiable
from zerosum.game.random import stream
from zerosum.metrics.path_length import perceptual_path_length
from zerosum.runs.generator import TrainedGenerator

Space = Literal["z", "w"]
_BATCH = 64  # paths whose features are computed together


@dataclass(frozen=True, eq=False)
class LatentMap:
    """Latents to features of their samples.

    Attributes:
        generator: the generator.
        network: maps float images `(B, C, H, W)` in [-1, 1] to features; for points, the points themselves.
    """

    generator: TrainedGenerator
    network: Callable[[Tensor], Tensor]

    def lengths(self, pairs: int, epsilon: float, space: Space, seed: int) -> Tensor:
        """Lengths `(pairs,)` of steps between two random latents of one condition, spherical in z and linear in w.

        Raises `ValueError` in w for a generator without a mapping network.
        """
        generator = self.generator
        draws = stream(seed, "path length", pairs)
        start, end = generator.recipe.latent.draw(2 * pairs, draws).chunk(2)
        values = None if generator.condition is None else generator.condition.values(pairs)
        c = None if values is None or generator.condition is None else generator.condition.encode(values)
        if space == "w":
            start, end = (self._mapped(z, c) for z in (start, end))
        conditions = iter([None] * -(-pairs // _BATCH) if c is None else torch.split(c, _BATCH))

        def features(latents: Tensor) -> Tensor:
            own = next(conditions)
            x = self._synthesised(latents) if space == "w" else generator.map(latents, _twice(own))
            return self.network(x if generator.coding is None else generator.coding.decode(x))

        path: Literal["spherical", "linear"] = "linear" if space == "w" else "spherical"
        return perceptual_path_length(features, start, end, epsilon, path, seed=seed, batch=_BATCH).lengths

    @torch.no_grad()
    def _synthesised(self, w: Tensor) -> Tensor:
        samples: Tensor = self._part("synthesis")(w.to(self._device))
        return samples.float().cpu()

    @torch.no_grad()
    def _mapped(self, z: Tensor, c: Tensor | None) -> Tensor:
        w: Tensor = self._part("mapping")(*(t.to(self._device) for t in (z, c) if t is not None))
        return w.float().cpu()

    def _part(self, name: str) -> Callable[..., Tensor]:
        part: Callable[..., Tensor] | None = getattr(self.generator.module, name, None)
        if part is None or not callable(part):
            raise ValueError(f"this generator has no {name} network, so its paths are in z: PPL(space='z')")
        return part

    @property
    def _device(self) -> torch.device:
        return next(self.generator.module.parameters()).device


def _twice(c: Tensor | None) -> Tensor | None:
    """The conditions of both ends of some steps."""
    return None if c is None else torch.cat([c, c])


def latent_map(data: SampleSet, extractor: Callable[[], Extractor]) -> LatentMap:
    """The map of a generated set.

    Raises `ValueError` for a set of samples without their generator, and for features that have no network.
    """
    if data.generator is None:
        raise ValueError(f"{data.name} is not a trained generator, whose latents ppl needs: give a run, or remove ppl")
    if data.kind != "images":
        return LatentMap(data.generator, lambda x: x)
    found = extractor()
    if not isinstance(found, Differentiable):
        raise ValueError(
            f"ppl compares images that differ by less than 8 bits, and {found.facts['name']} has no network for them: "
            f"use features such as inception, lite0 or random-conv"
        )
    network: nn.Module = found.module()
    device = next((weight.device for weight in network.buffers()), torch.device("cpu"))
    return LatentMap(data.generator, lambda x: network(x.to(device)).cpu())
