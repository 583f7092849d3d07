"""A generator as a map from latents to images: a trained one, or any callable with a prior."""

__all__ = ["Inputs", "LatentModel", "latent_model"]

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from zerosum._arrays import separated
from zerosum.conditions.condition import Condition
from zerosum.protocols import Coding, Latent
from zerosum.runs.generator import TrainedGenerator
from zerosum.runs.images import to_bytes
from zerosum.runs.latents import latents_of


class Inputs(NamedTuple):
    """The inputs of n samples.

    Attributes:
        z: latents `(n, size)`.
        c: encoded conditions `(n, ...)`; None if unconditional.
    """

    z: Tensor
    c: Tensor | None = None

    def rows(self, index: slice | Tensor) -> "Inputs":
        """The inputs of some of the samples."""
        return Inputs(self.z[index], None if self.c is None else self.c[index])


@dataclass(frozen=True, eq=False)
class LatentModel:
    """A generator that can be steered.

    Attributes:
        call: `G(z[, c]) -> x`, differentiable in z: images `(n, C, H, W)` in [-1, 1]. A module should be in evaluation
            mode, by `eval()`.
        latent: the prior of z.
        condition: the kind of its condition c; None if unconditional.
        coding: decodes the output of `call` to images; None if it is images.
    """

    call: Callable[..., Tensor]
    latent: Latent
    condition: Condition | None = None
    coding: Coding | None = None

    def inputs(self, n: int, seed: int = 0, wanted: Any = None) -> Inputs:
        """The inputs of `TrainedGenerator.sample(n, seed, conditions=wanted)`.

        Raises `ValueError` for conditions that it does not have.
        """
        if wanted is not None and self.condition is None:
            raise ValueError("this generator is unconditional: omit the class or condition")
        values = None if self.condition is None else self.condition.values(n, wanted)
        c = None if values is None or self.condition is None else self.condition.encode(values)
        return Inputs(torch.cat([*latents_of(self.latent, n, seed)]), c)

    def outputs(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """G(z, c), on its device."""
        found: Tensor = self.call(*(t.to(self.device) for t in (z, c) if t is not None))
        return found

    def decoded(self, x: Tensor) -> Tensor:
        """Outputs of the network, float on the CPU, as images `(n, C, H, W)` in about [-1, 1].

        Raises `ValueError` for points.
        """
        images = x if self.coding is None else self.coding.decode(x)
        if images.dim() != 4:
            raise ValueError(f"only generators of images can be steered; this one makes samples {tuple(x.shape[1:])}")
        return images

    def part(self, name: str) -> Callable[..., Tensor]:
        """Its mapping or synthesis network; raises `ValueError` if it has none."""
        found: Callable[..., Tensor] | None = getattr(self.call, name, None)
        if found is None:
            raise ValueError(f"this generator has no {name} network, which the spaces w and layers need: use space z")
        return found

    @property
    def device(self) -> torch.device:
        """The device of its weights."""
        weights = self.call.parameters() if isinstance(self.call, nn.Module) else iter(())
        return next((weight.device for weight in weights), torch.device("cpu"))

    @property
    def weights(self) -> str:
        """The sha256 of its weights by name, in hexadecimal; empty for a callable that is no module."""
        return weights_hash(self.call.state_dict()) if isinstance(self.call, nn.Module) else ""


def latent_model(generator: TrainedGenerator) -> LatentModel:
    """The model of a trained generator."""
    return LatentModel(generator.module, generator.recipe.latent, generator.condition, generator.coding)


def weights_hash(state: Mapping[str, Tensor]) -> str:
    """The sha256 of tensors and their names, in hexadecimal; it does not depend on the file that they are in."""
    digest = hashlib.sha256()
    for name, tensor in sorted(separated(state).items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.view(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def seen(images: Tensor) -> Tensor:
    """Float images as a viewer sees them, rounded to 8 bits, in [-1, 1]."""
    return torch.from_numpy(to_bytes(images)).permute(0, 3, 1, 2).float() / 127.5 - 1
