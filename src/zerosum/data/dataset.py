"""`Dataset`: what every data source opens as, with random access by index."""

from collections.abc import Callable, Collection, Mapping, Sequence
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

_LARGEST = 1e150  # of the coordinates of points, whose squares are then finite


@dataclass(frozen=True, eq=False)
class Dataset:
    """Opened data with random access by index: images or points, optionally with a condition for each.

    `shape` is that of one sample: (C, H, W) for images, (d,) for points. `read` takes int64 indices (B,) on the CPU and
    returns uint8 images (B, C, H, W), or float32 or float64 points (B, d) in the units of the data. `conditions` hold a
    kind and a value for each sample; if they are class labels, `labels` and `classes` are views of them. `notes` are
    warnings for the user about what the source did to the data. If the samples are encoded, as latents of images or as
    scaled points, `read` returns float32 (B, c, h, w) or (B, d), `coding` decodes them, and `original` is the data set
    that was encoded. `content` returns a text that changes with the samples (see `fingerprint`); None if there is none.
    `content_without` returns it for all files but some, given by name, and `broken` the files that could not be read
    and never were: each by its name, with the indices of all samples that it is a part of. `news` returns warnings
    since the last call, such as images found broken while reading. `named` returns the name of the sample at an index,
    such as its file; by default its index. `ahead` is true if reading is slow, as from a disk, and depends on the
    indices alone, so that a thread may prefetch.
    `window` is set for sequential sources such as streams: the number of consecutive samples that are shuffled
    together; reading backwards is slow. Raises `ValueError` when empty, and when conditions do not fit the count or
    their kind.
    """

    name: str
    shape: tuple[int, ...]
    count: int
    read: Callable[[Tensor], Tensor]
    conditions: Conditions | None = None
    notes: tuple[str, ...] = ()
    coding: Coding | None = None
    original: "Dataset | None" = None
    content: Callable[[], str] | None = None
    content_without: Callable[[Collection[str]], str] | None = None
    broken: Callable[[], Mapping[str, Collection[int]]] = dict
    news: Callable[[], tuple[str, ...]] = tuple
    named: Callable[[int], str] = str
    ahead: bool = False
    window: int | None = None

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError(f"{self.name} has no samples: use a source with at least one")
        if self.conditions is not None:
            self.conditions.check(self.name, self.count)

    def __len__(self) -> int:
        return self.count

    @property
    def condition(self) -> Condition | None:
        """The kind of condition; None if samples have none."""
        return None if self.conditions is None else self.conditions.kind

    @property
    def labels(self) -> Tensor | None:
        """The class index of each sample, int64 (count,); None without classes."""
        return self.conditions.table if self.conditions is not None and self.classes else None

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names; empty without classes."""
        return () if self.conditions is None else self.conditions.kind.classes

    def encoded_conditions(self, indices: Tensor, x: Tensor) -> Tensor | None:
        """The condition c of the samples at indices `(B,)`, which were read as x; None without conditions."""
        own = self.conditions
        return None if own is None else own.kind.encode(own.of(indices, x if self.coding is None else None))

    @property
    def is_image(self) -> bool:
        """Whether the samples are images (C, H, W), or latents of images, rather than points (d,)."""
        return len(self.shape) == 3

    @property
    def displayed(self) -> "Dataset":
        """The data in their own units: of encoded samples, those that were encoded; otherwise the data set itself."""
        return self if self.original is None else self.original


@runtime_checkable
class Source(Protocol):
    """A data source: a frozen dataclass of literals, so that its repr is its config."""

    def open(self) -> Dataset:
        """Open the data; raises `ValueError` when it cannot be used."""
        ...


@runtime_checkable
class Multimodal(Protocol):
    """A source with known modes: a mixture of equal Gaussians."""

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
    """Return a `Dataset` that reads from a tensor: uint8 images (N, C, H, W), or float32 or float64 points (N, d).

    `conditions` replace labels: an array (N, components), or `Conditions` of a custom kind. `made_by` is a source whose
    repr determines its samples: the `fingerprint` then uses the repr instead of their bytes.
    """
    if (x.dtype, x.ndim) not in ((torch.uint8, 4), (torch.float32, 2), (torch.float64, 2)):
        raise ValueError(
            f"{name} should be uint8 images (N, C, H, W) or float32 or float64 points (N, d), "
            f"but is {str(x.dtype).removeprefix('torch.')} of shape {tuple(x.shape)}"
        )
    if x.dtype != torch.uint8 and not bool((x.isfinite() & (x.double().abs() <= _LARGEST)).all()):
        raise ValueError(f"{name} has a point with NaN, infinity or a number above {_LARGEST:g}: rescale or remove it")
    if labels is not None and conditions is not None:
        raise ValueError(f"{name} has both labels and conditions, but a game uses one of them: pass only one")
    if conditions is None:
        found = labelled(name, labels, classes)
    else:
        found = conditions if isinstance(conditions, Conditions) else conditions_of(name, conditions, condition_names)
        notes += found.notes
    shape, content = tuple(x.shape[1:]), partial(content_of, x) if made_by is None else partial(repr, made_by)
    return Dataset(name, shape, len(x), x.__getitem__, found, notes, content=content)
