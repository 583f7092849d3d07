"""Where the search for the point of an image starts: the nearest of many samples, and what an encoder predicts."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from zerosum.features.regressor import Regressor, train_regressor
from zerosum.latent.model import Inputs, LatentModel, seen
from zerosum.latent.space import Prior, Space
from zerosum.runs.latents import latents_of

EXAMPLES = 8  # conditions that are tried where these are not classes
_FEWEST = 4  # samples of a condition
_VALUES = 1 << 27  # of all samples together
_ENCODED, _AT_ONCE = 4_000, 500  # samples by which an encoder is trained, and images that it reads together


@dataclass(frozen=True, eq=False)
class Candidates:
    """The conditions that are tried.

    Attributes:
        c: `(k, ...)`, encoded; None of an unconditional generator, for which k is 1.
        allowed: the candidates of each of n images, `(n, m)`, as indices below k: all k, or the one that was given.
    """

    c: Tensor | None
    allowed: Tensor


def candidates(model: LatentModel, n: int, wanted: Any = None) -> Candidates:
    """The conditions wanted for n images; None for all classes, or for examples of other conditions.

    Raises `ValueError` for conditions that the generator does not have.
    """
    condition = model.condition
    if wanted is not None or condition is None:
        c = model.inputs(n, 0, wanted).c
        if c is None:
            return Candidates(None, torch.zeros(n, 1, dtype=torch.int64))
        different, which = torch.unique(c, dim=0, return_inverse=True)
        return Candidates(different, which[:, None])
    count = len(condition.classes) or EXAMPLES
    return Candidates(condition.encode(condition.values(count)), torch.arange(count).expand(n, count))


@dataclass(frozen=True, eq=False)
class Pool:
    """Samples of the prior, `each` of every candidate in turn: `each * k` of them."""

    inputs: Inputs
    points: Tensor
    images: Tensor
    each: int


@torch.no_grad()
def pool_of(space: Space, tried: Candidates, count: int, seed: int, fewest: int) -> Pool:
    """About `count` samples, 4 or more and `fewest` or more of each candidate; fewer of large images."""
    model, k = space.model, 1 if tried.c is None else len(tried.c)
    one = model.inputs(1, seed)
    size = space.images(space.at(one), one).numel()
    each = max(_FEWEST, fewest, min(count, _VALUES // size) // k)
    z = torch.cat([*latents_of(model.latent, each * k, seed)])
    inputs = Inputs(z, None if tried.c is None else tried.c[torch.arange(each * k) % k])
    points = space.at(inputs)
    return Pool(inputs, points, space.images(points, inputs), each)


def nearest(pool: Pool, tried: Candidates, images: Tensor, weights: Tensor, count: int) -> Tensor:
    """Indices into the pool of the samples nearest to each image, so many of each of its m candidates, `(n, count m)`.

    The first m are the nearest of each. `weights` `(n, 1, H, W)` are those of pixels.
    """
    best = _distances(pool, images, weights).topk(count, 1, largest=False).indices  # (n, count, k)
    places = best * best.shape[2] + torch.arange(best.shape[2])
    return places.gather(2, tried.allowed[:, None].expand(-1, count, -1)).flatten(1)


def nearest_of_all(pool: Pool, tried: Candidates, images: Tensor, weights: Tensor, count: int) -> Tensor:
    """Indices into the pool of the samples nearest to each image, of whichever of its candidates, `(n, count)`."""
    distances = _distances(pool, images, weights)
    other = torch.ones(len(images), distances.shape[2], dtype=torch.bool).scatter(1, tried.allowed, False)
    return distances.masked_fill(other[:, None], torch.inf).flatten(1).topk(count, 1, largest=False).indices


def _distances(pool: Pool, images: Tensor, weights: Tensor) -> Tensor:
    """Weighted squared distances of images from the samples of a pool, `(n, each, k)`."""
    x, p, w = images.flatten(1), pool.images.flatten(1), weights.expand_as(images).flatten(1)
    found = (w * x.square()).sum(1)[:, None] - 2 * (w * x) @ p.T + w @ p.square().T
    return found.view(len(x), pool.each, -1)


def encoder_of(space: Space, prior: Prior, seen_images: int, seed: int) -> Regressor:
    """A network that predicts the points of images, in standard deviations, trained on samples of the generator.

    The classes of a conditional generator take turns; the condition is not given to the network.
    """
    model, size = space.model, prior.mean.numel()
    with torch.no_grad():
        inputs = model.inputs(min(_ENCODED, seen_images), seed)
        points = space.at(inputs)
        images = torch.cat([seen(part) for part in torch.split(space.images(points, inputs), _AT_ONCE)])
    values = ((points - prior.mean) / prior.std).flatten(1)
    # A coordinate that never changes, as of a class that is alone, is not learned.
    values = values + 1e-3 * torch.randn(len(values), size, generator=torch.Generator().manual_seed(seed))
    return train_regressor(((images + 1) * 127.5).round().byte(), values, seed, seen_images)


@torch.no_grad()
def encoded(encoder: Regressor, prior: Prior, images: Tensor) -> Tensor:
    """The points `(n, *shape)` that an encoder predicts of images."""
    parts = [encoder(part) for part in torch.split(images, _AT_ONCE)]
    return prior.mean + prior.std * torch.cat(parts).view(-1, *prior.mean.shape)
