"""Images as points of a space: what was found, and its edits."""

__all__ = ["Inversion"]

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from zerosum.latent.model import Inputs, LatentModel, seen
from zerosum.latent.space import Space, space_of

if TYPE_CHECKING:
    from zerosum.latent.direction import Direction, DirectionSum


@dataclass(frozen=True, eq=False)
class Inversion:
    """Points of a space whose samples are like given images.

    Attributes:
        space: the space.
        points: `(n, *shape)`.
        inputs: what the points do not determine, such as the class.
        targets: the images, `(n, C, H, W)` in [-1, 1].
        weights: of their pixels, `(n, 1, H, W)` in [0, 1]: all 1, or where a drawing is.
        tuned: the generator tuned to the images; None before `tune`.
    """

    space: Space
    points: Tensor
    inputs: Inputs
    targets: Tensor
    weights: Tensor
    tuned: LatentModel | None = None

    @property
    def maker(self) -> Space:
        """The space of the generator that makes the images: the tuned one, if there is one."""
        return self.space if self.tuned is None else space_of(self.tuned, self.space.name)

    @property
    def images(self) -> Tensor:
        """The images that the generator makes of the points, in [-1, 1], rounded to 8 bits."""
        with torch.no_grad():
            return seen(self.maker.images(self.points, self.inputs))

    @property
    def errors(self) -> Tensor:
        """The root mean square difference of each image and its target over the pixels, in [0, 1], `(n,)`."""
        return distance(self.images, self.targets, self.weights)

    def edited(self, change: "Direction | DirectionSum") -> Tensor:
        """The images moved along directions of the generator, as it was before tuning, in about [-1, 1].

        Inverted points lie far out in the prior. So that they do not leave it, each keeps the radius that it has, or a
        radius of 1 where that is smaller.

        Raises `ValueError` for directions of other weights or of another space; one in w also moves the points of
        `layers`.
        """
        step, prior = (change * 1).step(self.space), self.space.prior()
        points = prior.within(self.points + step, prior.radius(self.points).clamp_min(1))
        with torch.no_grad():
            return self.maker.images(points, self.inputs)

    def rows(self, index: slice | Tensor) -> "Inversion":
        """Some of the images."""
        return replace(
            self,
            points=self.points[index],
            inputs=self.inputs.rows(index),
            targets=self.targets[index],
            weights=self.weights[index],
        )


def distance(images: Tensor, others: Tensor, weights: Tensor | None = None) -> Tensor:
    """The root mean square difference of images in [-1, 1] over pixels, in [0, 1] where 1 is black to white, `(n,)`.

    `weights` `(n, 1, H, W)` are those of pixels.
    """
    return squared_error(images, others, weights).sqrt()


def squared_error(images: Tensor, others: Tensor, weights: Tensor | None = None) -> Tensor:
    """The square of `distance`, whose gradient is finite also where images are equal, `(n,)`."""
    squared = ((images - others).square() / 4).flatten(1)
    if weights is None:
        return squared.mean(1)
    shares = weights.expand_as(images).flatten(1)
    return (squared * shares).sum(1) / shares.sum(1)
