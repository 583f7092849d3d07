"""The real samples with which check-ups compare, read once in each start of a run."""

__all__ = ()

from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from zerosum.data.dataset import Dataset
from zerosum.data.held_out import differs_held_out, held_out
from zerosum.diagnostics.signals._measures import nearest, spread, vectors
from zerosum.diagnostics.signals.embedding import Embedding
from zerosum.diagnostics.signals.pace import samples_of
from zerosum.game.batch import to_unit
from zerosum.game.random import stream
from zerosum.recipes.recipe import Recipe

_WHOLE = 1024  # samples of a data set that is read whole
_CLUSTERS, _ROUNDS = 32, 8  # of k-means
_NEIGHBOURS = 5  # of Naeem et al. 2020 (arXiv 2002.09797)
_LEAST = 8  # samples in each of the two sets
_PURPOSE = "check-up"  # of the random numbers


@dataclass(frozen=True, eq=False)
class RealSamples:
    """Two disjoint sets of n real samples: a reference, and others with which it is compared as generated ones are.

    Attributes:
        x: the reference, `(n, ...)` in the units of the networks.
        c: its encoded conditions; None for an unconditional game.
        labels: its class labels, int64 `(n,)`; None without labels.
        others: the other set `(n, ...)`.
        others_labels: its labels.
        train: features of training samples `(m, d)`: of both sets, and of a data set of up to 1,024 samples all.
        held: samples `(k, ...)` that the source keeps out of training, k <= n, with their conditions; None without.
        held_c: their conditions.
        count: number of training samples.
        classes: number of classes, or 0.
        embedding: the features.
    """

    x: Tensor
    c: Tensor | None
    labels: Tensor | None
    others: Tensor
    others_labels: Tensor | None
    train: Tensor
    held: Tensor | None
    held_c: Tensor | None
    count: int
    classes: int
    embedding: Embedding = field(repr=False)

    @cached_property
    def features(self) -> Tensor:
        """The features of the reference, `(n, d)`."""
        return self.embedding(self.x)

    @cached_property
    def others_features(self) -> Tensor:
        """The features of the other set."""
        return self.embedding(self.others)

    @cached_property
    def spread(self) -> Tensor:
        """The mean distance of two features of the reference."""
        return spread(self.features)

    @cached_property
    def pixels(self) -> Tensor:
        """The reference as vectors."""
        return vectors(self.x)

    @cached_property
    def pixel_spread(self) -> Tensor:
        """The mean distance of two of these."""
        return spread(self.pixels)

    @cached_property
    def pixel_distance(self) -> Tensor:
        """The mean distance of these from their mean."""
        found: Tensor = (self.pixels - self.pixels.mean(0)).norm(dim=1).mean()
        return found

    @cached_property
    def radius(self) -> Tensor:
        """The distance of each feature of the reference to its fifth neighbour (Naeem et al. 2020), `(n,)`."""
        distances = torch.cdist(self.features, self.features)
        found: Tensor = distances.kthvalue(min(_NEIGHBOURS + 1, len(distances)), 1).values
        return found

    @cached_property
    def neighbours(self) -> Tensor:
        """The distance of each training sample to its nearest neighbour."""
        return nearest(self.train, self.train, other=True)

    @cached_property
    def centres(self) -> Tensor:
        """The centres of clusters of the reference, `(k, d)` by k-means from samples far from each other."""
        x = self.features
        chosen, distance = [x[0]], torch.cdist(x, x[:1])[:, 0]
        while len(chosen) < min(_CLUSTERS, len(x) // 4):
            chosen.append(x[distance.argmax()])
            distance = torch.minimum(distance, torch.cdist(x, chosen[-1][None])[:, 0])
        centres = torch.stack(chosen)
        for _ in range(_ROUNDS):
            own = torch.cdist(x, centres).argmin(1)
            member = one_hot(own, len(centres)).to(x.dtype)
            sizes = member.sum(0)[:, None]
            centres = torch.where(sizes > 0, member.T @ x / sizes.clamp_min(1), centres)
        return centres


def read_real(recipe: Recipe, dataset: Dataset, device: torch.device) -> RealSamples | None:
    """Read the real samples of a recipe's check-ups; None where the data has too few.

    They are chosen by a random order of the recipe's seed, of a stream the first ones.
    """
    n = min(samples_of(recipe), len(dataset) // 2)
    if n < _LEAST:
        return None
    if dataset.window is None:
        order = torch.randperm(len(dataset), generator=stream(recipe.seed, _PURPOSE, "real"))
    else:
        order = torch.arange(min(len(dataset), 2 * n))
    order = order if len(dataset) <= _WHOLE else order[: 2 * n]
    embedding = Embedding(dataset.shape, device)
    raw = dataset.read(order)
    c = dataset.encoded_conditions(order, raw) if recipe.conditional else None
    x = to_unit(raw).to(device)
    labels = None if dataset.labels is None else dataset.labels[order].to(device)
    held, held_c = _read_held(recipe, dataset, n, device)
    return RealSamples(
        x=x[:n],
        c=None if c is None else c[:n].to(device),
        labels=None if labels is None else labels[:n],
        others=x[n : 2 * n],
        others_labels=None if labels is None else labels[n : 2 * n],
        train=embedding(x),
        held=held,
        held_c=held_c,
        count=len(dataset),
        classes=len(dataset.classes),
        embedding=embedding,
    )


def _read_held(recipe: Recipe, dataset: Dataset, n: int, device: torch.device) -> tuple[Tensor | None, Tensor | None]:
    """Samples of the same kind that the source keeps out of training, and their conditions."""
    source = held_out(recipe.data)
    if source is recipe.data or differs_held_out(source) or dataset.coding is not None:
        return None, None
    try:
        test = source.open()
    except ValueError:  # none is held out
        return None, None
    if len(test) < _LEAST or test.shape != dataset.shape:
        return None, None
    order = torch.randperm(len(test), generator=stream(recipe.seed, _PURPOSE, "held"))[:n]
    raw = test.read(order)
    c = test.encoded_conditions(order, raw) if recipe.conditional else None
    return to_unit(raw).to(device), None if c is None else c.to(device)
