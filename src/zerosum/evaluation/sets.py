"""The sides of a comparison: pictures, points, features or moments, from wherever they are given."""

__all__ = ()

import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zerosum.data.dataset import Dataset
from zerosum.data.resolve import source
from zerosum.evaluation.stored import StoredMoments, is_generator, load_moments
from zerosum.features.extractor import Features
from zerosum.game.random import stream
from zerosum.recipes.reader import NOTHING, Known, read
from zerosum.runs.generator import TrainedGenerator, load
from zerosum.runs.run import Run, is_run

_AT_ONCE = 256  # pictures read together
_UNREADABLE = (OSError, EOFError, ValueError, TypeError, OverflowError, zipfile.BadZipFile)

Piece = Tensor | Features


@dataclass(frozen=True, eq=False)
class Sample:
    """What was drawn from a side: `count` samples in an order.

    Attributes:
        count: how many.
        pieces: begins anew to yield all of them, some at a time: uint8 pictures `(B, H, W, C)`, or features.
        labels: the class of each, int64 `(count,)`; None where there are none.
    """

    count: int
    pieces: Callable[[], Iterator[Piece]]
    labels: Tensor | None = None


@dataclass(frozen=True, eq=False)
class Side:
    """One side of a comparison.

    Attributes:
        name: what it was given as.
        kind: what it holds: images, features (points are features by themselves), or moments alone.
        shape: of one sample: (H, W, C) or (d,).
        count: how many samples it has; None for a generator, which gives as many as are asked for.
        take: (n, seed) to a sample of n, of a set all or some, in an order that the seed decides; None for moments.
        classes: names of the classes that labels count; empty where there are none.
        counts: how many samples of each class a set holds, `(classes,)`; None for others.
        ask: (n, seed, labels) to samples of these classes; None for what cannot be asked for any.
        facts: what a protocol says of it besides, by name.
        notes: sentences that the user should read.
        stored: its moments, where it holds nothing else.
    """

    name: str
    kind: Literal["images", "features", "moments"]
    shape: tuple[int, ...]
    count: int | None
    take: Callable[[int, int], Sample] | None = None
    classes: tuple[str, ...] = ()
    counts: Tensor | None = None
    ask: Callable[[int, int, Tensor], Sample] | None = None
    facts: Mapping[str, str | int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    stored: StoredMoments | None = None


def picked(sample: Sample, indices: Sequence[int]) -> Tensor:
    """Some pictures of a sample by their places, uint8 `(len(indices), H, W, C)`; it is read as far as the last."""
    found: dict[int, Tensor] = {}
    first = 0
    for piece in sample.pieces():
        assert isinstance(piece, Tensor)
        found |= {index: piece[index - first] for index in {*indices} if first <= index < first + len(piece)}
        first += len(piece)
        if first > max(indices):
            break
    return torch.stack([found[index] for index in indices])


def open_side(given: Any, device: torch.device | None = None, known: Known = NOTHING) -> Side:
    """Return the side that is meant.

    Args:
        given: a folder or `.zip` of images of one size; a packed set; a `.npz` of `images`, or of `features` (with
            `logits` and `labels` where they are known); a run folder or a `generator.safetensors`, of which the running
            average gives samples; saved moments; a source or its text, as `Digits()`; an opened data set, a trained
            generator, a run, an array; or a side.
        device: where a generator that is loaded computes; by default the CPU.
        known: what is somebody's own, by name, for a run or a source given as text.

    Raises:
        ValueError: where there is no such thing, or it is none of these.
    """
    if isinstance(given, Side):
        return given
    if isinstance(given, TrainedGenerator):
        return _of_generator(given, given.recipe.name, None)
    if isinstance(given, Dataset):
        return _of_dataset(given, given.name)
    if isinstance(given, Run):
        return _of_generator(given.generator, str(given), device)
    if isinstance(given, str | Path):
        return _of_text(str(given), Path(given).expanduser(), device or torch.device("cpu"), known)
    dataset = source(given).open()
    return _of_dataset(dataset, dataset.name)


def _of_text(text: str, path: Path, device: torch.device, known: Known) -> Side:
    if text.endswith(")") and not path.exists():
        return _of_dataset(source(read(text, known)).open(), text)
    if path.suffix == ".safetensors" and path.is_file():
        if is_generator(path):
            return _of_generator(load(path, known), text, device)
        return _of_moments(load_moments(path), text)
    if is_run(path):
        return _of_generator(load(path, known), text, device)
    if path.suffix.lower() == ".npz" and path.is_file():
        arrays = _features_in(path)
        if arrays:
            return _of_features(arrays, text)
    return _of_dataset(source(text, fit="exact").open(), text)


def _of_dataset(dataset: Dataset, name: str) -> Side:
    shown = dataset.displayed

    def take(n: int, seed: int) -> Sample:
        order = _order(shown.count, n, seed)

        def pieces() -> Iterator[Piece]:
            for index in torch.split(order, _AT_ONCE):
                x = shown.read(index)
                yield x.permute(0, 2, 3, 1).contiguous() if shown.is_image else Features(x)

        return Sample(n, pieces, None if dataset.labels is None else dataset.labels[order])

    counts = None if dataset.labels is None else dataset.labels.bincount(minlength=len(dataset.classes))
    kind: Literal["images", "features"] = "images" if shown.is_image else "features"
    shape = (*shown.shape[1:], shown.shape[0]) if shown.is_image else shown.shape
    return Side(name, kind, shape, shown.count, take, dataset.classes, counts, notes=shown.notes)


def _of_generator(generator: TrainedGenerator, name: str, device: torch.device | None) -> Side:
    if device is not None:
        generator.module.to(device)
    first = generator.sample(1)[0]

    def take(n: int, seed: int, asked: Tensor | None = None) -> Sample:
        labels = generator.labels(n) if asked is None else asked.numpy()

        def pieces() -> Iterator[Piece]:
            for piece in generator.pieces(n, seed, labels):
                x = torch.from_numpy(piece)
                yield x if generator.is_image else Features(x)

        return Sample(n, pieces, None if labels is None else torch.from_numpy(labels))

    facts: dict[str, str | int] = {"recipe": generator.recipe.name, "trained_images": generator.images}
    kind: Literal["images", "features"] = "images" if generator.is_image else "features"
    ask = take if generator.labels(1) is not None else None
    return Side(name, kind, first.shape, None, take, generator.classes, ask=ask, facts=facts)


def _of_features(arrays: Mapping[str, NDArray[Any]], name: str) -> Side:
    features, logits, labels = _checked(arrays, name)

    def take(n: int, seed: int) -> Sample:
        order = _order(len(features), n, seed)

        def pieces() -> Iterator[Piece]:
            yield Features(features[order], None if logits is None else logits[order])

        return Sample(n, pieces, None if labels is None else labels[order])

    classes = () if labels is None else tuple(map(str, range(int(labels.max()) + 1)))
    return Side(name, "features", tuple(features.shape[1:]), len(features), take, classes)


def _of_moments(stored: StoredMoments, name: str) -> Side:
    return Side(name, "moments", stored.shape, stored.moments.count, stored=stored)


def _order(count: int, n: int, seed: int) -> Tensor:
    """The indices of n of so many samples: in chance order, as sets on disk are often sorted by class."""
    return torch.randperm(count, generator=stream(seed, "evaluation", count))[:n]


def _features_in(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a `.npz` that holds features; nothing where it holds something else, or does not read."""
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            known = [key for key in ("features", "logits", "labels") if key in file.files]
            return {key: file[key] for key in known} if "features" in known else {}
    except _UNREADABLE:
        return {}  # `Arrays` tells what is wrong with it


def _checked(arrays: Mapping[str, NDArray[Any]], name: str) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """Features `(N, d)`, logits `(N, K)` and labels `(N,)` as tensors; raises `ValueError` for other shapes."""
    features = arrays["features"]
    if features.ndim != 2 or features.dtype.kind != "f" or not features.size:
        raise ValueError(
            f"the features of {name} should be floats (N, d), a row a sample; found {features.dtype} {features.shape}"
        )
    logits, labels = arrays.get("logits"), arrays.get("labels")
    if logits is not None and (logits.ndim != 2 or logits.dtype.kind != "f" or len(logits) != len(features)):
        raise ValueError(
            f"the logits of {name} should be floats ({len(features)}, K); found {logits.dtype} {logits.shape}"
        )
    if labels is not None and (labels.shape != (len(features),) or labels.dtype.kind not in "iu" or labels.min() < 0):
        raise ValueError(
            f"the labels of {name} should be integers ({len(features)},) from 0 on; found {labels.dtype} {labels.shape}"
        )
    return (
        _tensor(features),
        None if logits is None else _tensor(logits),
        None if labels is None else torch.from_numpy(labels.astype(np.int64)),
    )


def _tensor(array: NDArray[Any]) -> Tensor:
    return torch.from_numpy(array if array.dtype in (np.float32, np.float64) else array.astype(np.float32))
