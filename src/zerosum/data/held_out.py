"""Samples held out of training, chosen by their names alone."""

__all__ = ()

import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from zerosum._arrays import evenly
from zerosum._checks import require
from zerosum.conditions.image import EXAMPLES, Image
from zerosum.conditions.text import Text
from zerosum.data.conditions import Conditions, Values
from zerosum.data.dataset import Dataset, Source

PARTS = ("train", "test", "all")
_ONE_IN = 10  # samples is held out


@runtime_checkable
class HoldsOut(Protocol):
    """A source that keeps some samples out of training.

    `part` is "train", "test" for the samples held out, or "all". One sample in ten is held out, chosen by the hash of
    its file name, or of its index where samples have no file: so a sample stays in its part when others are added.
    """

    @property
    def part(self) -> str:
        """The samples that it opens as."""
        ...


@runtime_checkable
class Deriving(Protocol):
    """A source whose samples are those of another, with a condition derived from each."""

    @property
    def source(self) -> Source:
        """The other source."""
        ...

    @property
    def part(self) -> str:
        """The samples that it opens as."""
        ...


def around(own: Source, given: Source) -> Source:
    """The source that a recipe uses for data given in place of its own.

    A recipe that derives conditions from its samples, as `Downscaled`, derives them from the given samples too.
    """
    if not isinstance(own, Deriving) or isinstance(given, HoldsOut):
        return given
    kept: Any = own
    wrapped: Source = replace(kept, source=given)
    return wrapped


def differs_held_out(own: Source) -> bool:
    """Whether the samples that a source holds out are of another kind than those of training, on purpose.

    It has an attribute `held_out_differs` then, as `Scenes`, which holds pairs of words out. A D that scores them lower
    has not memorised the others.
    """
    return bool(getattr(own, "held_out_differs", False))


def held_out(own: Source) -> Source:
    """The samples that a source holds out of training, where it does; else the source itself."""
    if not isinstance(own, HoldsOut) or own.part != "train":
        return own
    kept: Any = own
    test: Source = replace(kept, part="test")
    return test


def part_of(dataset: Dataset, part: str) -> Dataset:
    """The samples of a part of a data set; examples of images or captions as conditions are held out of training.

    Raises `ValueError` where none is held out.
    """
    return split(dataset, are_held_out(dataset), part)


def split(dataset: Dataset, held: Tensor, part: str) -> Dataset:
    """The same, where `held`, bool `(count,)`, says which samples are held out."""
    test, train = held.nonzero().flatten(), (~held).nonzero().flatten()
    conditions = dataset.conditions
    if conditions is not None and isinstance(conditions.kind, Image | Text):
        kind = _with_examples(conditions, dataset, _examples(test if len(test) else train))
        dataset = replace(dataset, conditions=Conditions(kind, conditions.values))
    if part == "all":
        return dataset
    indices = test if part == "test" else train
    if not len(indices):
        raise ValueError(f"{dataset.name} has no {part} samples among {len(dataset)}: set part='all'")
    return subset(dataset, indices, part)


def examples_of(dataset: Dataset) -> Tensor:
    """The indices of samples to show as examples: some that are held out of training, if any are."""
    held = are_held_out(dataset)
    return _examples((held if bool(held.any()) else ~held).nonzero().flatten())


def _examples(some: Tensor) -> Tensor:
    return some[evenly(len(some), EXAMPLES)]


def _with_examples(conditions: Conditions, dataset: Dataset, chosen: Tensor) -> Image | Text:
    kind = conditions.kind
    if isinstance(kind, Text):
        return replace(kind, examples=conditions.of(chosen).clone())
    assert isinstance(kind, Image)
    x = dataset.read(chosen)
    truths = x if kind.paired else None
    return replace(kind, examples=conditions.of(chosen, x).clone(), truths=truths)


def subset(dataset: Dataset, indices: Tensor, text: str) -> Dataset:
    """The samples at some indices, as a data set; `text` is part of the fingerprint."""
    places: defaultdict[int, list[int]] = defaultdict(list)
    for place, index in enumerate(indices.tolist()):
        places[index].append(place)
    content, without, own, named = dataset.content, dataset.content_without, dataset.conditions, dataset.named

    def broken() -> Mapping[str, Collection[int]]:
        found = {
            name: [p for one in own if one in places for p in places[one]] for name, own in dataset.broken().items()
        }
        return {name: there for name, there in found.items() if there}

    return replace(
        dataset,
        count=len(indices),
        read=lambda index: dataset.read(indices[index]),
        conditions=None if own is None else Conditions(own.kind, _chosen(own, indices)),
        content=None if content is None else lambda: f"{content()} {text}",
        content_without=None if without is None else lambda names: f"{without(names)} {text}",
        broken=broken,
        named=lambda index: named(int(indices[index])),
    )


def _chosen(conditions: Conditions, indices: Tensor) -> Tensor | Values:
    values = conditions.values
    return values[indices] if isinstance(values, Tensor) else _Chosen(values, indices)


@dataclass(frozen=True, eq=False)
class _Chosen:
    """Values at some indices."""

    values: Values
    indices: Tensor

    @property
    def derived(self) -> bool:
        """As all values."""
        return self.values.derived

    def __len__(self) -> int:
        return len(self.indices)

    def of(self, indices: Tensor, x: Tensor | None) -> Tensor:
        """The values of the samples at indices `(B,)`."""
        return self.values.of(self.indices[indices], x)

    def content(self, without: Collection[str] = ()) -> str:
        """That of all values."""
        return self.values.content(without)


def check_part(source: object, part: str) -> None:
    """Raise `ValueError` for an unknown part."""
    require(source, part in PARTS, f"part to be {', '.join(PARTS)}")


def are_held_out(dataset: Dataset) -> Tensor:
    """Which samples of a data set are held out, by their names; bool `(count,)`."""
    return torch.tensor([_is_held_out(dataset.named(index)) for index in range(len(dataset))])


def name_hash(name: str) -> bytes:
    """The hash of a sample's name, by which it is held out or not, whatever other samples there are."""
    return hashlib.sha256(name.encode(errors="surrogateescape")).digest()


def _is_held_out(name: str) -> bool:
    return int.from_bytes(name_hash(name)[:4], "big") % _ONE_IN == 0
