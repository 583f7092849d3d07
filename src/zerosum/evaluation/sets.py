"""Sets of samples for an evaluation: images, points, features or moments, in any of the accepted formats."""

__all__ = ()

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch
from numpy.typing import NDArray
from torch import Tensor

from zerosum._paths import is_constructor, user_path
from zerosum.conditions.condition import Condition
from zerosum.conditions.image import Image
from zerosum.conditions.text import Text
from zerosum.data.dataset import Dataset
from zerosum.data.resolve import source
from zerosum.data.texts import TextCoding
from zerosum.evaluation.feature_files import checked_features, features_in
from zerosum.evaluation.stored import StoredMoments, is_generator, load_moments
from zerosum.features.extractor import Features
from zerosum.game.random import stream
from zerosum.recipes.reader import NOTHING, Known, read
from zerosum.runs.generator import TrainedGenerator, load
from zerosum.runs.run import Run, is_run
from zerosum.runs.texts import sample_texts

_BATCH = 256  # images read together

Chunk = Tensor | Features
Sliced = Callable[[slice], Tensor]


@dataclass(frozen=True, eq=False)
class Sample:
    """Samples drawn from a set, in a fixed order.

    Attributes:
        count: number of samples.
        chunks: each call returns an iterator over all samples in chunks: uint8 images `(B, H, W, C)`, or features.
        labels: the class of each, int64 `(count,)`; None without classes.
        texts: returns all samples as texts, in their order; None where they are no texts.
    """

    count: int
    chunks: Callable[[], Iterator[Chunk]]
    labels: Tensor | None = None
    texts: Callable[[], list[str]] | None = None


@dataclass(frozen=True, eq=False)
class SampleSet:
    """A set of samples: a reference set or a generated set.

    Attributes:
        name: the argument it was opened from.
        kind: its content: images, features (points are used as features), or moments only.
        shape: of one sample: (H, W, C) or (d,).
        count: number of samples; None for a generator, which has no limit.
        take: maps (n, seed) to a sample of size n, in an order that depends on the seed; None for moments.
        classes: class names, in the order of the labels; empty without classes.
        counts: number of samples in each class of a data set, `(classes,)`; None for generators and without classes.
        take_labelled: maps (n, seed, labels) to samples of these classes; None if it is not a conditional generator.
        conditions: maps a seed to the conditions of `take(n, seed)`, read by slice; None unless they are images or of
            another kind that is no table.
        take_under: maps (n, seed, conditions) to samples under such conditions; None if it is not such a generator.
        derive: maps a seed and images in place of those of `take(n, seed)` to their conditions, `(n, ...)`; None where
            conditions are not derived from images.
        captioned: whether the conditions are captions.
        paired: whether each sample belongs to its condition.
        facts: further entries of the protocol, by name.
        notes: messages for the user.
        stored: its moments, if it has nothing else.
        generator: the trained generator that samples it; None for other sets.
    """

    name: str
    kind: Literal["images", "features", "moments"]
    shape: tuple[int, ...]
    count: int | None
    take: Callable[[int, int], Sample] | None = None
    classes: tuple[str, ...] = ()
    counts: Tensor | None = None
    take_labelled: Callable[[int, int, Tensor], Sample] | None = None
    conditions: Callable[[int], Sliced] | None = None
    take_under: Callable[[int, int, Sliced], Sample] | None = None
    derive: Callable[[int, Tensor], Tensor] | None = None
    captioned: bool = False
    paired: bool = True
    facts: Mapping[str, str | int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    stored: StoredMoments | None = None
    generator: TrainedGenerator | None = None


def images_at(sample: Sample, indices: Sequence[int]) -> Tensor:
    """Return the images of a sample at the indices, uint8 `(len(indices), H, W, C)`; reads only up to the last one."""
    found: dict[int, Tensor] = {}
    first = 0
    for chunk in sample.chunks():
        assert isinstance(chunk, Tensor)
        found |= {index: chunk[index - first] for index in {*indices} if first <= index < first + len(chunk)}
        first += len(chunk)
        if first > max(indices):
            break
    return torch.stack([found[index] for index in indices])


def open_set(given: Any, device: torch.device | None = None, known: Known = NOTHING) -> SampleSet:
    """Open a set of samples.

    Args:
        given: a folder or `.zip` of images of one size; a packed set; a `.npz` of `images`, or of `features` (with
            optional `logits` and `labels`); a run folder or a `generator.safetensors`, whose EMA generator is sampled;
            saved moments; a source or its text, such as `Digits()`; an opened data set, a trained generator, a run, an
            array; or a `SampleSet`, which is returned as it is.
        device: device of a generator that is loaded; by default the CPU.
        known: user-defined classes by name, for a run or a source given as text.

    Raises:
        ValueError: if it does not exist or has another format.
    """
    if isinstance(given, SampleSet):
        return given
    if isinstance(given, TrainedGenerator):
        return _of_generator(given, given.recipe.name, None)
    if isinstance(given, Dataset):
        return _of_dataset(given, given.name)
    if isinstance(given, Run):
        return _of_generator(given.generator, str(given), device)
    if isinstance(given, str | Path):
        return _of_text(str(given), user_path(given), device or torch.device("cpu"), known)
    dataset = source(given).open()
    return _of_dataset(dataset, dataset.name)


def _of_text(text: str, path: Path, device: torch.device, known: Known) -> SampleSet:
    if is_constructor(text):
        return _of_dataset(source(read(text, known)).open(), text)
    if path.suffix == ".safetensors" and path.is_file():
        path = path.resolve()  # a file that the user names may be a link
        if is_generator(path):
            return _of_generator(load(path, known), text, device)
        return _of_moments(load_moments(path), text)
    if is_run(path):
        return _of_generator(load(path, known), text, device)
    if path.suffix.lower() == ".npz" and path.is_file():
        arrays = features_in(path)
        if arrays:
            return _of_features(arrays, text)
    return _of_dataset(source(text, fit="exact").open(), text)


def _of_dataset(dataset: Dataset, name: str) -> SampleSet:
    displayed = dataset.displayed

    def take(n: int, seed: int) -> Sample:
        order = _order(displayed.count, n, seed)

        def chunks() -> Iterator[Chunk]:
            for index in torch.split(order, _BATCH):
                x = displayed.read(index)
                yield x.permute(0, 2, 3, 1).contiguous() if displayed.is_image else Features(x)

        labels = None if dataset.labels is None else dataset.labels[order]
        texts = partial(_texts, dataset, order) if isinstance(dataset.coding, TextCoding) else None
        return Sample(n, chunks, labels, texts)

    def conditions(seed: int) -> Sliced:
        assert dataset.conditions is not None
        order, of = _order(dataset.count, dataset.count, seed), dataset.conditions.of
        return lambda rows: of(order[torch.arange(rows.start, rows.stop) % len(order)])

    def derive(seed: int, images: Tensor) -> Tensor:
        assert dataset.conditions is not None
        order, x = _order(dataset.count, len(images), seed), images.permute(0, 3, 1, 2)
        parts = zip(torch.split(order, _BATCH), torch.split(x, _BATCH), strict=True)
        return torch.cat([dataset.conditions.of(*part) for part in parts])

    derived = dataset.conditions is not None and dataset.conditions.derived
    counts = None if dataset.labels is None else dataset.labels.bincount(minlength=len(dataset.classes))
    kind: Literal["images", "features"] = "images" if displayed.is_image else "features"
    shape = (*displayed.shape[1:], displayed.shape[0]) if displayed.is_image else displayed.shape
    return SampleSet(
        name,
        kind,
        shape,
        displayed.count,
        take,
        dataset.classes,
        counts,
        conditions=conditions if _is_no_table(dataset.condition) else None,
        derive=derive if derived else None,
        captioned=isinstance(dataset.condition, Text),
        paired=not isinstance(dataset.condition, Image) or dataset.condition.paired,
        notes=displayed.notes,
    )


def _texts(dataset: Dataset, order: Tensor) -> list[str]:
    """The texts at indices, read in chunks: as one-hot sequences, all together would be large."""
    assert isinstance(dataset.coding, TextCoding)
    texts = dataset.coding.texts
    return [text for rows in torch.split(order, _BATCH) for text in texts(dataset.read(rows))]


def _of_generator(generator: TrainedGenerator, name: str, device: torch.device | None) -> SampleSet:
    if device is not None:
        generator.module.to(device)
    first = generator.sample(1)[0]

    def take(n: int, seed: int, wanted: Tensor | None = None) -> Sample:
        labels = generator.labels(n) if wanted is None else wanted.numpy()

        def chunks() -> Iterator[Chunk]:
            for chunk in generator.sample_batches(n, seed, labels):
                x = torch.from_numpy(chunk)
                yield x if generator.is_image else Features(x)

        texts = partial(sample_texts, generator, n, seed) if isinstance(generator.coding, TextCoding) else None
        return Sample(n, chunks, None if labels is None else torch.from_numpy(labels), texts)

    def take_under(n: int, seed: int, values: Sliced) -> Sample:
        return Sample(n, lambda: map(torch.from_numpy, generator.sample_under(n, seed, values)))

    facts: dict[str, str | int] = {"recipe": generator.recipe.name, "trained_images": generator.images}
    kind: Literal["images", "features"] = "images" if generator.is_image else "features"
    take_labelled = take if generator.labels(1) is not None else None
    return SampleSet(
        name,
        kind,
        first.shape,
        None,
        take,
        generator.classes,
        take_labelled=take_labelled,
        take_under=take_under if _is_no_table(generator.condition) else None,
        facts=facts,
        generator=generator,
    )


def _is_no_table(condition: Condition | None) -> bool:
    """Whether conditions are neither labels nor rows of numbers, so that each sample needs one of the data."""
    return condition is not None and not condition.classes and not condition.components


def _of_features(arrays: Mapping[str, NDArray[Any]], name: str) -> SampleSet:
    features, logits, labels = checked_features(arrays, name)

    def take(n: int, seed: int) -> Sample:
        order = _order(len(features), n, seed)

        def chunks() -> Iterator[Chunk]:
            yield Features(features[order], None if logits is None else logits[order])

        return Sample(n, chunks, None if labels is None else labels[order])

    classes = () if labels is None else tuple(map(str, range(int(labels.max()) + 1)))
    return SampleSet(name, "features", tuple(features.shape[1:]), len(features), take, classes)


def _of_moments(stored: StoredMoments, name: str) -> SampleSet:
    return SampleSet(name, "moments", stored.shape, stored.moments.count, stored=stored)


def _order(count: int, n: int, seed: int) -> Tensor:
    """Indices of n out of `count` samples, shuffled, since sets on disk are often sorted by class."""
    return torch.randperm(count, generator=stream(seed, "evaluation", count))[:n]
