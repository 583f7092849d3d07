"""What every source of data opens as: a `Dataset`, with random access by index."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, runtime_checkable

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from zerosum.conditions.condition import Condition
from zerosum.data.conditions import Conditions, conditions_of, labelled
from zerosum.data.content import content_of
from zerosum.protocols import Coding


@dataclass(frozen=True, eq=False)
class Dataset:
    """Opened data with random access by index: images or points, with or without a condition for each.

    `shape` is that of one sample: (C, H, W) for images, (d,) for points. `read` takes int64 indices (B,) on
    the CPU and returns uint8 images (B, C, H, W) or float32 points (B, d). `conditions` are a kind and the value for
    each sample; `labels` and `classes` are views of them, where they are class labels. `notes` are sentences that the
    user should read about what the source did to the data. Where the samples are latents of pictures, `read`
    returns float32 (B, c, h, w), `coding` tells how they stand for pictures, and `pictures` are these.
    `content` returns a text that is another one when the samples are (see `fingerprint`), or is None where nothing can
    be told of them. `news` returns sentences on what reading has met since it was last asked, as broken images.
    `ahead` says that reading costs time, as from a disk, and depends on the indices alone, so that a thread may read
    what will be wanted next. `window` tells of samples that are read forward, as from a stream: they are shuffled
    within so many in a row, and reading back is slow.
    Raises `ValueError` when empty, and when conditions do not fit the count or their kind.
    """

    name: str
    shape: tuple[int, ...]
    count: int
    read: Callable[[Tensor], Tensor]
    conditions: Conditions | None = None
    notes: tuple[str, ...] = ()
    coding: Coding | None = None
    pictures: "Dataset | None" = None
    content: Callable[[], str] | None = None
    news: Callable[[], tuple[str, ...]] = tuple
    ahead: bool = False
    window: int | None = None

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError(f"{self.name} holds no samples: give a source with at least one")
        if self.conditions is not None:
            self.conditions.check(self.name, self.count)

    def __len__(self) -> int:
        return self.count

    @property
    def condition(self) -> Condition | None:
        """What the condition of a sample is; None where there is none."""
        return None if self.conditions is None else self.conditions.kind

    @property
    def labels(self) -> Tensor | None:
        """The class of each sample, int64 (count,); None where samples have no classes."""
        return self.conditions.values if self.conditions is not None and self.classes else None

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes; empty where there are none."""
        return () if self.conditions is None else self.conditions.kind.classes

    @property
    def is_image(self) -> bool:
        """Whether the samples are images (C, H, W), or latents of some, rather than points (d,)."""
        return len(self.shape) == 3

    @property
    def displayed(self) -> "Dataset":
        """The data as people see them: the pictures, where the samples are latents."""
        return self if self.pictures is None else self.pictures


@runtime_checkable
class Source(Protocol):
    """Where data comes from: a frozen dataclass of literals, so that its repr is its config."""

    def open(self) -> Dataset:
        """Open the data; raises `ValueError` with one clear sentence when it cannot be used."""
        ...


@runtime_checkable
class Multimodal(Protocol):
    """A source that knows its modes: equal Gaussians."""

    @property
    def std(self) -> float:
        """Standard deviation of each mode."""
        ...

    def centres(self) -> Tensor:
        """Return the modes' centres (modes, d)."""
        ...


def in_memory(
    name: str,
    x: Tensor,
    labels: Tensor | None = None,
    classes: tuple[str, ...] = (),
    notes: tuple[str, ...] = (),
    conditions: Conditions | ArrayLike | Tensor | None = None,
    condition_names: Sequence[str] | None = None,
    made_by: object | None = None,
) -> Dataset:
    """Return a `Dataset` that reads from a tensor: uint8 images (N, C, H, W) or float32 points (N, d).

    `conditions` take the place of labels: rows of numbers (N, components), or values of a kind of one's own. `made_by`
    is the source, where its repr alone tells which samples it makes: that then stands for them in the `fingerprint`,
    and not their bytes.
    """
    if (x.dtype, x.ndim) not in ((torch.uint8, 4), (torch.float32, 2)):
        raise ValueError(
            f"{name} should be uint8 images (N, C, H, W) or float32 points (N, d), "
            f"but is {str(x.dtype).removeprefix('torch.')} of shape {tuple(x.shape)}"
        )
    if not (x.dtype == torch.uint8 or x.isfinite().all()):
        raise ValueError(f"{name} holds a point that is not finite in float32: change its numbers, or leave it out")
    if labels is not None and conditions is not None:
        raise ValueError(f"{name} has both labels and conditions, and a game plays by one: leave one out")
    if conditions is None:
        found = labelled(name, labels, classes)
    else:
        found = conditions if isinstance(conditions, Conditions) else conditions_of(name, conditions, condition_names)
        notes += found.notes
    shape, content = tuple(x.shape[1:]), partial(content_of, x) if made_by is None else partial(repr, made_by)
    return Dataset(name, shape, len(x), x.__getitem__, found, notes, content=content)
