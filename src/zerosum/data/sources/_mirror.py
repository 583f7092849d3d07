"""Horizontal flips of a data set: each image and its mirror image."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from torch import Tensor

from zerosum.conditions.image import Image
from zerosum.data.conditions import Conditions, Values
from zerosum.data.dataset import Dataset


def mirrored(dataset: Dataset) -> Dataset:
    """The data set with the mirror image of each image after it, under the same condition.

    If the condition is an image, it is mirrored too. The number of samples doubles. Raises `ValueError` for points.
    """
    if not dataset.is_image:
        raise ValueError(f"{dataset.name} has points, which have no mirror images: leave out flip")
    content, without, window, named = dataset.content, dataset.content_without, dataset.window, dataset.named
    return replace(
        dataset,
        count=2 * dataset.count,
        read=lambda index: _flipped(dataset.read(index // 2), index),
        conditions=None if dataset.conditions is None else _conditions(dataset.conditions),
        notes=(*dataset.notes, "each image also enters mirrored (flip), so there are twice as many samples"),
        content=None if content is None else lambda: f"{content()} flip",
        content_without=None if without is None else lambda names: f"{without(names)} flip",
        broken=lambda: {n: [2 * i + side for i in own for side in (0, 1)] for n, own in dataset.broken().items()},
        named=lambda index: named(index // 2),
        window=None if window is None else 2 * window,
    )


@dataclass(frozen=True, eq=False)
class _Mirrored:
    """Values of which each occurs twice, the second time mirrored where they are images."""

    conditions: Conditions
    derived: bool = False

    def __len__(self) -> int:
        return 2 * len(self.conditions.values)

    def of(self, indices: Tensor, x: Tensor | None) -> Tensor:
        """The values of the samples at indices `(B,)`."""
        values = self.conditions.of(indices // 2)
        return _flipped(values, indices) if isinstance(self.conditions.kind, Image) else values

    def content(self, without: Collection[str] = ()) -> str:
        """That of the values."""
        return self.conditions.content(without)


def _conditions(own: Conditions) -> Conditions:
    images = isinstance(own.kind, Image)
    plain = isinstance(own.values, Tensor) and not images
    values: Tensor | Values = own.table.repeat_interleave(2, 0) if plain else _Mirrored(own)
    return Conditions(own.kind, values)


def _flipped(images: Tensor, index: Tensor) -> Tensor:
    """Images `(B, C, H, W)`, mirrored at odd indices."""
    images, odd = images.clone(), index % 2 == 1
    images[odd] = images[odd].flip(-1)
    return images
