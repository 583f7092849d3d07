"""Horizontal flips of a data set: each image and its mirror image."""

from dataclasses import replace

from torch import Tensor

from zerosum.data.conditions import Conditions
from zerosum.data.dataset import Dataset


def mirrored(dataset: Dataset) -> Dataset:
    """The data set with the mirror image of each image after it, under the same condition.

    The number of samples doubles. Raises `ValueError` for points.
    """
    if not dataset.is_image:
        raise ValueError(f"{dataset.name} has points, which have no mirror images: leave out flip")

    def read(index: Tensor) -> Tensor:
        images = dataset.read(index // 2).clone()
        odd = index % 2 == 1
        images[odd] = images[odd].flip(-1)
        return images

    own, content, window = dataset.conditions, dataset.content, dataset.window
    return replace(
        dataset,
        count=2 * dataset.count,
        read=read,
        conditions=None if own is None else Conditions(own.kind, own.values.repeat_interleave(2, 0)),
        notes=(*dataset.notes, "each image also enters mirrored (flip), so there are twice as many samples"),
        content=None if content is None else lambda: f"{content()} flip",
        content_without=None,  # a file is two samples, so one that cannot be read is not known by its index
        broken=dict,
        window=None if window is None else 2 * window,
    )
