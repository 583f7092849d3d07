"""How far images lie outside a generator's range: their errors beside those of its samples and of real images."""

__all__ = ["Reach", "invert_measured"]

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from zerosum._arrays import Array, evenly
from zerosum.data.dataset import Dataset, Source
from zerosum.data.held_out import held_out
from zerosum.latent.instruments import opened
from zerosum.latent.inversion import Inversion
from zerosum.latent.invert import InvertOptions, invert, of_one_colour, targets_of
from zerosum.latent.model import seen
from zerosum.latent.space import Space
from zerosum.runs.facts import check_at_most

_MOST, _AT_ONCE = 50_000, 1_000  # training images that are compared, and those read together, at most
_VALUES = 1 << 24  # of the training images that are read together
_OUTSIDE = 0.95  # share of real images whose error is smaller, from which on an image is outside the range


@dataclass(frozen=True, eq=False)
class Reach:
    """Errors of inverted images, beside those of images inverted in the same way.

    Attributes:
        errors: of the images, `(n,)`: root mean square over pixels, in [0, 1].
        own: of samples of the generator; empty where they are all of one colour.
        real: of real images; empty where the data cannot be read.
        kind: what the real images are: `held-out` or `training`.
        nearest: distance of each image to the nearest training image, as the errors, `(n,)`; empty without data.
        compared: number of training images.
        note: the reason why the data cannot be read; empty where they can.
    """

    errors: Tensor
    own: Tensor
    real: Tensor
    kind: str
    nearest: Tensor
    compared: int
    note: str = ""

    @property
    def above_own(self) -> Tensor:
        """The share of samples with a smaller error than each image, `(n,)`."""
        return (self.own < self.errors[:, None]).double().mean(1)

    @property
    def above_real(self) -> Tensor:
        """The share of real images with a smaller error than each image, `(n,)`."""
        return (self.real < self.errors[:, None]).double().mean(1)

    @property
    def outside(self) -> Tensor:
        """Whether 95 % of the real images, or of samples where there are none, have a smaller error, bool `(n,)`."""
        return (self.above_real if len(self.real) else self.above_own) >= _OUTSIDE

    def facts(self, names: Sequence[str]) -> list[dict[str, Any]]:
        """JSON values for each image of a name."""
        found = []
        for i, name in enumerate(names):
            one: dict[str, Any] = {"image": name, "error": float(self.errors[i])}
            if len(self.nearest):
                one |= {"nearest": float(self.nearest[i]), "training_images": self.compared}
            if len(self.own):
                one |= {"above_samples": float(self.above_own[i])}
            if len(self.real):
                one |= {"above_real": float(self.above_real[i]), "real": self.kind}
            if len(self.own) or len(self.real):
                one |= {"outside": bool(self.outside[i])}
            found.append(one)
        return found

    def lines(self, names: Sequence[str]) -> list[str]:
        """A line for each image of a name, and one where the data cannot be read."""
        found = []
        for i, name in enumerate(names):
            text = f"{name}: error {self.errors[i]:.3f}"
            if len(self.nearest):
                text += f"; the nearest of {self.compared:,} training images is {self.nearest[i]:.3f} away"
            kinds = [(self.above_own, self.own, "samples"), (self.above_real, self.real, f"{self.kind} images")]
            shares = [f"{above[i]:.0%} of {len(others)} {what}" for above, others, what in kinds if len(others)]
            if shares:
                where = "outside" if self.outside[i] else "within"
                text += f"; larger than the error of {' and '.join(shares)}: {where} the generator's range"
            found.append(text)
        return [*found, f"the training data cannot be read: {self.note}"] if self.note else found


def invert_measured(
    space: Space,
    images: Array,
    source: Source,
    wanted: Any = None,
    options: InvertOptions | None = None,
    references: int = 40,
) -> tuple[Inversion, Reach]:
    """Invert images, and with them samples of the generator and real images, by which their errors are measured.

    Real images are those that the data hold out of training, where they do, else training images.

    Args:
        space: the space to search.
        images: as for `invert`.
        source: the data that the generator was trained on, as `generator.recipe.data`.
        wanted: as for `invert`.
        options: as for `invert`.
        references: number of samples, and of real images; 0 for none.

    Raises:
        ValueError: as for `invert`, and for a negative number of references.
    """
    how, targets, condition = options or InvertOptions(), targets_of(space, images), space.model.condition
    check_at_most(_MOST, {"references": references})
    if references < 0:
        raise ValueError(f"references are a number of samples and of real images, 0 or more; found {references}")
    data, others = _opened(source, targets)
    values = None if wanted is None or condition is None else condition.values(len(targets), wanted)
    groups = [(targets, values), _samples(space, references, how.seed + 1), _real(others, references)]
    given = wanted
    if values is not None:
        given = torch.cat([value for _, value in groups if value is not None])
    found = invert(space, torch.cat([group for group, _ in groups]), given, how)
    errors, own, real = torch.split(found.errors, [len(group) for group, _ in groups])
    kind = "training" if others is data else "held-out"
    near, compared = _nearest(data, targets)
    note = data if isinstance(data, str) else ""
    return found.rows(slice(len(targets))), Reach(errors, own, real, kind, near, compared, note)


Group = tuple[Tensor, Tensor | None]
"""Images `(n, C, H, W)` in [-1, 1] and their conditions in the units of the data."""


def _samples(space: Space, count: int, seed: int) -> Group:
    """Samples of another seed than the one from whose samples the search starts."""
    if not count:
        return torch.zeros(0), None
    inputs, condition = space.model.inputs(count, seed), space.model.condition
    with torch.no_grad():
        images = seen(space.images(space.at(inputs), inputs))
    return _varied(images, None if condition is None else condition.values(count))


def _real(data: Dataset | str, count: int) -> Group:
    if isinstance(data, str) or not count:
        return torch.zeros(0), None
    rows = evenly(len(data), count)
    images = data.displayed.read(rows).float() / 127.5 - 1
    return _varied(images, None if data.conditions is None else data.conditions.of(rows))


def _varied(images: Tensor, values: Tensor | None) -> Group:
    """The images that are not of one colour, which are no reference, as of a generator that has collapsed."""
    kept = ~of_one_colour(images)
    return images[kept], None if values is None else values[kept]


def _opened(source: Source, images: Tensor) -> tuple[Dataset | str, Dataset | str]:
    """The training data, and those held out of training, else the same; the reason where there are none."""
    data, others = opened(source), held_out(source)
    if isinstance(data, str):
        return data, data
    if data.displayed.shape != images.shape[1:]:
        text = f"images have the shape {data.displayed.shape}, and the generator's {tuple(images.shape[1:])}"
        return text, text
    kept = data if others is source else opened(others)
    return data, data if isinstance(kept, str) else kept  # also where none of a few samples is held out


def _nearest(data: Dataset | str, images: Tensor) -> tuple[Tensor, int]:
    """The distance of each image to the nearest of up to 50,000 training images, and their number."""
    if isinstance(data, str):
        return torch.zeros(0), 0
    rows, least = evenly(len(data), _MOST), torch.full((len(images),), torch.inf)
    for part in torch.split(rows, max(1, min(_AT_ONCE, _VALUES // images[0].numel()))):
        read = data.displayed.read(part).float() / 127.5 - 1
        least = torch.minimum(least, torch.cdist(images.flatten(1), read.flatten(1)).amin(1))
    return least / 2 / images[0].numel() ** 0.5, len(rows)
