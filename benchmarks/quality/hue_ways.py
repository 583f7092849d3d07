"""Ways to move the hue of samples of a StyleGAN2, and what is measured of them."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from zerosum.latent import Direction, follow, space_of
from zerosum.latent.attributes._maps import colours, edges_of, lightness
from zerosum.latent.model import Inputs, LatentModel, seen
from zerosum.latent.space import Space

TURN, EDGES = 60.0, 0.9  # degrees of hue that a sample should move by, and the correlation that its edges should keep
STRENGTHS = (0.0, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)
_GREY = 0.02  # length of the mean chroma, up to which a sample has no hue
_AT_ONCE = 100  # samples whose gradients are taken together


def chroma(images: Tensor) -> Tensor:
    """The colours of pixels in the plane of equal sums, complex `(N, H, W)`; its angle is the hue."""
    red, green, blue = colours(images).unbind(1)
    return torch.complex(red - (green + blue) / 2, math.sqrt(3) / 2 * (green - blue))


def coloured(images: Tensor) -> Tensor:
    """Whether images have a hue, bool `(N,)`."""
    return chroma(images).mean((1, 2)).abs() > _GREY


def hue_change(before: Tensor, after: Tensor) -> Tensor:
    """Degrees between the mean chroma of images and of others, the shorter way around, `(N,)`.

    The mean of chroma is the circular mean of hue over the pixels, weighted by how coloured they are.
    """
    one, other = (chroma(images).mean((1, 2)) for images in (before, after))
    return (other * one.conj()).angle() * (180 / math.pi)


def pixels_turn(before: Tensor, after: Tensor) -> Tensor:
    """Degrees of the one rotation that brings the chroma of all pixels nearest to that of others, `(N,)`."""
    return (chroma(after) * chroma(before).conj()).mean((1, 2)).angle() * (180 / math.pi)


def edge_correlation(before: Tensor, after: Tensor) -> Tensor:
    """The correlation over pixels of the edge maps of images and of others, gradient norms of the luma, `(N,)`."""
    maps = [edges_of(lightness(images)).flatten(1) for images in (before, after)]
    one, other = (part - part.mean(1, keepdim=True) for part in maps)
    found: Tensor = (one * other).sum(1) / (one.norm(dim=1) * other.norm(dim=1)).clamp_min(1e-12)
    return found


def rotated(images: Tensor, degrees: float | Tensor) -> Tensor:
    """Images whose colours are rotated about the grey axis by an angle, or by one for each, pixel by pixel."""
    angle = torch.deg2rad(torch.as_tensor(degrees, dtype=images.dtype)).expand(len(images))[:, None, None, None]
    found = colours(images)
    grey, beside = found.mean(1, keepdim=True), (found.roll(-1, 1) - found.roll(1, 1)) / math.sqrt(3)
    turned = grey + (found - grey) * angle.cos() - beside * angle.sin()
    return turned.clamp(0, 1) * 2 - 1


@dataclass(frozen=True, eq=False)
class Later(Space):
    """The space `layers` in which only some layers move."""

    inner: Space
    layers: tuple[int, ...]

    @property
    def model(self) -> LatentModel:  # type: ignore[override]
        """The generator."""
        return self.inner.model

    @property
    def name(self) -> str:
        """`layers`."""
        return self.inner.name

    def at(self, inputs: Inputs) -> Tensor:
        """One w for each layer."""
        return self.inner.at(inputs)

    def outputs(self, points: Tensor, inputs: Inputs) -> Tensor:
        """The images of the samples' own w in all other layers."""
        moves = torch.zeros(points.shape[1], 1, dtype=torch.bool)
        moves[[*self.layers]] = True
        return self.inner.outputs(torch.where(moves, points, self.inner.at(inputs).detach()), inputs)


Path = Callable[[Inputs], Tensor]
"""Points `(steps, n, *shape)` of some inputs, from where they are on, further with each step."""


def straight(space: Space, direction: Direction, strengths: Sequence[float] = STRENGTHS) -> Path:
    """Along one direction, the same for all samples."""

    def path(inputs: Inputs) -> Tensor:
        start = space.at(inputs)
        return torch.stack([start + strength * direction.vector for strength in strengths])

    return path


def around(space: Space, directions: Sequence[Direction], step: float, steps: int = 12) -> Path:
    """Along two directions of chroma, to the right and up in its plane, mixed so as to be across a sample's own hue."""
    right, up = (one.vector / one.vector.norm() for one in directions)

    def path(inputs: Inputs) -> Tensor:
        points = [space.at(inputs)]
        for _ in range(steps):
            own = chroma(seen(space.images(points[-1], inputs))).mean((1, 2))
            own = (own / own.abs().clamp_min(1e-12)).view(-1, *[1] * (points[-1].dim() - 1))
            points.append(points[-1] + step * (own.real * up - own.imag * right))
        return torch.stack(points)

    return path


def of_each(space: Space, degrees: float, step: float, steps: int, keep: float = 1.0) -> Path:
    """The gradient of each sample towards its own colours rotated by an angle, with its own edges."""

    def path(inputs: Inputs) -> Tensor:
        found = []
        for start in range(0, len(inputs.z), _AT_ONCE):
            some = inputs.rows(slice(start, start + _AT_ONCE))
            with torch.no_grad():
                before = space.images(space.at(some), some)
            goal = chroma(rotated(before, degrees)).flatten(1)

            def score(images: Tensor, before: Tensor = before, goal: Tensor = goal) -> Tensor:
                own = chroma(images).flatten(1)
                near = (own - goal).abs().square().mean(1) / goal.abs().square().mean(1).clamp_min(1e-6)
                return keep * edge_correlation(before, images) - near

            found.append(follow(space, some, score, steps, step))
        return torch.cat(found, 1)

    return path


@dataclass(frozen=True, eq=False)
class Reading:
    """What is measured of samples before and after an edit.

    Attributes:
        hue: mean change of the hue, in degrees.
        turn: mean rotation of the pixels' chroma.
        edges: mean correlation of the edges.
        far: share of samples whose hue moves by 60 degrees or more, in the wanted sense of rotation.
        same: share of samples whose edges correlate by .9 or more.
        both: share of samples of which both are true.
        score: share of samples whose score by D is above the lowest tenth of samples.
        radius: the median radius of the points.
    """

    hue: float
    turn: float
    edges: float
    far: float
    same: float
    both: float
    score: float = math.nan
    radius: float = math.nan

    @classmethod
    def of(cls, before: Tensor, after: Tensor, score: float = math.nan, radius: float = math.nan) -> "Reading":
        """Of images that have a hue."""
        moved, edges = hue_change(before, after), edge_correlation(before, after)
        far, same = moved >= TURN, edges >= EDGES
        far_share, same_share, both = (float(part.double().mean()) for part in (far, same, far & same))
        turn = float(pixels_turn(before, after).mean())
        return cls(float(moved.mean()), turn, float(edges.mean()), far_share, same_share, both, score, radius)

    @property
    def met(self) -> bool:
        """Whether the means are as wanted."""
        return self.hue >= TURN and self.edges >= EDGES

    @property
    def cells(self) -> list[str]:
        """The cells of a table."""
        shares = [f"{share:.0%}" for share in (self.far, self.same, self.both)]
        last = ["" if math.isnan(value) else text for value, text in self._last]
        return [f"{self.hue:+.0f}°", f"{self.turn:+.0f}°", f"{self.edges:.3f}", *shares, *last]

    @property
    def _last(self) -> list[tuple[float, str]]:
        return [(self.score, f"{self.score:.0%}"), (self.radius, f"{self.radius:.2f}")]


@dataclass(frozen=True, eq=False)
class Eye:
    """Samples that have a hue, and what measures ways through a space.

    Attributes:
        model: the generator.
        n: samples of the seed, of which those without a hue are left out.
        seed: of the samples.
        score: D's score of outputs; None without D.
    """

    model: LatentModel
    n: int
    seed: int
    score: Callable[[Tensor, Inputs], Tensor] | None = None

    @cached_property
    def inputs(self) -> Inputs:
        """The inputs of the samples that have a hue."""
        inputs = self.model.inputs(self.n, self.seed)
        with torch.no_grad():
            space = space_of(self.model, "z")
            return inputs.rows(coloured(seen(space.images(inputs.z, inputs))))

    @cached_property
    def least(self) -> float:
        """The score below which the lowest tenth of samples lie."""
        assert self.score is not None
        inputs = self.model.inputs(1_000, self.seed + 1)
        with torch.no_grad():
            outputs = space_of(self.model, "z").batches(inputs.z, inputs)
            return float(self.score(outputs, inputs).double().quantile(0.1))

    def readings(self, space: Space, path: Path) -> list[Reading]:
        """What is measured at each step of a path, the start first."""
        prior, found, before = space.prior(), [], torch.zeros(0)
        points = path(self.inputs)
        with torch.no_grad():
            for step, place in enumerate(points):
                outputs = space.batches(place, self.inputs)
                images, share = seen(space.model.decoded(outputs)), math.nan
                if self.score is not None:
                    share = float((self.score(outputs, self.inputs) > self.least).double().mean())
                before = before if step else images
                found.append(Reading.of(before, images, share, float(prior.radius(place).median())))
        return found


def best(readings: Sequence[Reading], far: float = math.inf) -> int:
    """The step of the largest mean change of hue at which edges are kept, within a radius; 0 where there is none."""
    kept = [place for place, one in enumerate(readings) if one.edges >= EDGES and not one.radius > far]
    return max(kept, key=lambda place: readings[place].hue, default=0)


def furthest(readings: Sequence[Reading], far: float = math.inf) -> int:
    """The step of the largest mean change of hue within a radius."""
    near = [place for place, one in enumerate(readings) if not one.radius > far]
    return max(near, key=lambda place: readings[place].hue, default=0)


def chroma_right(images: Tensor) -> Tensor:
    """The mean chroma towards red, of uint8 images `(N, H, W, C)`."""
    return _mean_chroma(images).real


def chroma_up(images: Tensor) -> Tensor:
    """The mean chroma a quarter turn from red, towards yellow-green, of uint8 images `(N, H, W, C)`."""
    return _mean_chroma(images).imag


def _mean_chroma(images: Tensor) -> Tensor:
    return chroma(images.permute(0, 3, 1, 2).float() / 127.5 - 1).mean((1, 2))
