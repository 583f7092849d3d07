"""Latent spaces: where one can move, and how a point becomes an image."""

__all__ = ["Prior", "Space", "space_of"]

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from zerosum.conditions.labels import Labels
from zerosum.latent.model import Inputs, LatentModel, latent_model
from zerosum.protocols import Layered
from zerosum.runs.generator import TrainedGenerator

SPACES = ("z", "w", "layers", "condition")
_AT_ONCE = 250  # images made together
_DRAWN = 2048  # points of which the prior is measured
_FAR = 0.999  # quantile of the radius of points of the prior


@dataclass(frozen=True, eq=False)
class Prior:
    """Where the points of a space are, measured on points drawn from its prior.

    Attributes:
        mean: `shape`.
        std: of each coordinate, `shape`.
        far: the radius below which 99.9 % of the points lie.
    """

    mean: Tensor
    std: Tensor
    far: float

    def radius(self, points: Tensor) -> Tensor:
        """The root mean square of the coordinates in standard deviations, `(n,)`; about 1 for points of the prior."""
        return ((points - self.mean) / self.std).flatten(1).square().mean(1).sqrt()

    def within(self, points: Tensor, radius: Tensor) -> Tensor:
        """Points `(n, *shape)` of a larger radius than allowed, `(n,)`, moved towards the mean until they have it."""
        share = (radius / self.radius(points).clamp_min(1e-12)).clamp(max=1)
        return self.mean + share.view(-1, *[1] * self.mean.dim()) * (points - self.mean)


class Space(Protocol):
    """A space of points; what a point does not determine of a sample, such as z where one moves in c, is its inputs'.

    Attributes:
        model: the generator.
        name: `z`, `w`, `layers` or `condition`.
    """

    model: LatentModel

    @property
    def name(self) -> str:
        """Its name."""
        ...

    def at(self, inputs: Inputs) -> Tensor:
        """The points `(n, *shape)` of the samples of some inputs."""
        ...

    def outputs(self, points: Tensor, inputs: Inputs) -> Tensor:
        """What the network makes of points `(n, *shape)`, differentiable; not decoded."""
        ...

    def moved(self, points: Tensor, inputs: Inputs) -> Inputs:
        """The inputs of the points, where these are inputs; raises `ValueError` in w."""
        raise ValueError(f"points of {self.name} are no inputs of the generator: combine directions of one space")

    def draw(self, n: int, seed: int = 0, wanted: Any = None) -> Tensor:
        """n points of the prior, `(n, *shape)`: those of `TrainedGenerator.sample(n, seed, conditions=wanted)`."""
        with torch.no_grad():
            return self.at(self.model.inputs(n, seed, wanted))

    def prior(self, seed: int = 0) -> Prior:
        """Mean, spread and radius of 2,048 points of the prior."""
        points = self.draw(_DRAWN, seed)
        std = points.std(0).clamp_min(1e-6)
        measured = Prior(points.mean(0), std, 0.0)
        return Prior(measured.mean, std, float(measured.radius(points).quantile(_FAR)))

    def batches(self, points: Tensor, inputs: Inputs) -> Tensor:
        """The same for any number of points, a few at a time; float on the CPU, differentiable where points are."""
        rows = [slice(start, start + _AT_ONCE) for start in range(0, len(points), _AT_ONCE)]
        with torch.set_grad_enabled(points.requires_grad and torch.is_grad_enabled()):
            return torch.cat([self.outputs(points[row], inputs.rows(row)).float().cpu() for row in rows])

    def images(self, points: Tensor, inputs: Inputs) -> Tensor:
        """The images of points, float `(n, C, H, W)` in about [-1, 1] on the CPU, differentiable where points are."""
        return self.model.decoded(self.batches(points, inputs))


@dataclass(frozen=True, eq=False)
class ZSpace(Space):
    """The latent z."""

    model: LatentModel

    @property
    def name(self) -> str:
        """`z`."""
        return "z"

    def at(self, inputs: Inputs) -> Tensor:
        """z itself."""
        return inputs.z

    def outputs(self, points: Tensor, inputs: Inputs) -> Tensor:
        """G(point, c)."""
        return self.model.outputs(points, inputs.c)

    def moved(self, points: Tensor, inputs: Inputs) -> Inputs:
        """The points as z."""
        return Inputs(points, inputs.c)


@runtime_checkable
class _Truncating(Protocol):
    """A generator that moves w towards an average in evaluation, as StyleGAN2's."""

    truncation: float
    w_average: Tensor


@dataclass(frozen=True, eq=False)
class StyleSpace(Space):
    """The w of a generator with a mapping and a synthesis network, as StyleGAN2's."""

    model: LatentModel

    @property
    def name(self) -> str:
        """`w`."""
        return "w"

    def at(self, inputs: Inputs) -> Tensor:
        """mapping(z, c), truncated as the generator truncates it."""
        mapping, call = self.model.part("mapping"), self.model.call
        w = mapping(*(t.to(self.model.device) for t in inputs if t is not None))
        return (call.w_average.lerp(w, call.truncation) if isinstance(call, _Truncating) else w).float().cpu()

    def outputs(self, points: Tensor, inputs: Inputs) -> Tensor:
        """synthesis(point); c is in w already."""
        return self.model.part("synthesis")(points.to(self.model.device))


@dataclass(frozen=True, eq=False)
class LayerSpace(Space):
    """One w for each layer of a synthesis network, `(layers, size)`."""

    model: LatentModel

    @property
    def name(self) -> str:
        """`layers`."""
        return "layers"

    def at(self, inputs: Inputs) -> Tensor:
        """The same w for each layer."""
        synthesis = self.model.part("synthesis")
        if not isinstance(synthesis, Layered):
            raise ValueError("this generator's synthesis network takes one w for all layers: use space w")
        w = StyleSpace(self.model).at(inputs)
        return w[:, None].repeat(1, synthesis.count, 1) if w.dim() == 2 else w

    def outputs(self, points: Tensor, inputs: Inputs) -> Tensor:
        """synthesis(points)."""
        return self.model.part("synthesis")(points.to(self.model.device))


@dataclass(frozen=True, eq=False)
class ConditionSpace(Space):
    """The condition c: continuous and binary attributes as the network takes them, or weights of classes.

    Of labels a point is a weight for each class, `(classes,)`; its embedding is the sum of the classes' embeddings by
    these weights, so that one can move between classes.
    """

    model: LatentModel

    def __post_init__(self) -> None:
        kind = self.model.condition
        if kind is None or not (isinstance(kind, Labels) or kind.dtype.is_floating_point):
            what = "none" if kind is None else type(kind).__name__
            raise ValueError(f"the space condition is one of labels, attributes, vectors or images; found {what}")

    @property
    def name(self) -> str:
        """`condition`."""
        return "condition"

    def at(self, inputs: Inputs) -> Tensor:
        """c, or weights of 1 for each sample's class."""
        c, kind = _required(inputs.c), self.model.condition
        return one_hot(c, kind.count + kind.nullable).float() if isinstance(kind, Labels) else c.float()

    def outputs(self, points: Tensor, inputs: Inputs) -> Tensor:
        """G(z, point)."""
        kind = self.model.condition
        if not isinstance(kind, Labels):
            return self.model.outputs(inputs.z, points)
        c = torch.zeros(len(points), dtype=torch.int64) if inputs.c is None else inputs.c
        with _mixed(self.model.call, kind.count + kind.nullable, points.to(self.model.device)):
            return self.model.outputs(inputs.z, c)

    def moved(self, points: Tensor, inputs: Inputs) -> Inputs:
        """The points as c; raises `ValueError` for labels, which are no points."""
        return super().moved(points, inputs) if isinstance(self.model.condition, Labels) else Inputs(inputs.z, points)


def space_of(generator: TrainedGenerator | LatentModel, name: str = "") -> Space:
    """A space of a generator, by name: by default w where it has a mapping network, else z.

    Raises `ValueError` for a space that it does not have.
    """
    model = latent_model(generator) if isinstance(generator, TrainedGenerator) else generator
    kinds: dict[str, Any] = dict(zip(SPACES, (ZSpace, StyleSpace, LayerSpace, ConditionSpace), strict=True))
    chosen = name or ("w" if getattr(model.call, "mapping", None) and getattr(model.call, "synthesis", None) else "z")
    if chosen not in kinds:
        raise ValueError(f"a space is one of {', '.join(SPACES)}; found {name!r}")
    space: Space = kinds[chosen](model)
    if chosen in ("w", "layers"):
        space.draw(1)  # raises where there is none
    return space


def _required(c: Tensor | None) -> Tensor:
    if c is None:
        raise ValueError("this generator is conditional: give inputs with a condition c")
    return c


@contextmanager
def _mixed(call: Any, count: int, weights: Tensor) -> Iterator[None]:
    """Embeddings of labels give the sum of their rows by weights `(n, count)` instead of one row."""
    found = [m for m in call.modules() if isinstance(m, nn.Embedding) and m.num_embeddings == count]
    if not found:
        raise ValueError("this generator has no embedding of its labels, so there is nothing between classes")
    handles = [m.register_forward_hook(lambda module, _, __: weights @ module.weight) for m in found]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
