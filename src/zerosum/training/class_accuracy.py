"""Whether samples carry the class asked for, read by a judge that the run's own data train."""

__all__ = ()

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import safetensors
import safetensors.torch
import torch
from torch import Tensor

from zerosum._disk import replace_durably
from zerosum.data.dataset import Dataset, Multimodal, Source
from zerosum.features.classifier import PROTOCOL, SEEN, Classifier, restored, train_classifier
from zerosum.runs.generator import TrainedGenerator
from zerosum.training.device import choose_precision, precision_context

MOST_CLASSES = 100
SHORTEST = SEEN  # images of a run: a score should not cost more than it
SAMPLES = 2_000  # drawn over all classes
_IMAGES, _BYTES = 20_000, 1 << 28  # pictures that a classifier learns from, and bytes of them, at most


@dataclass(frozen=True)
class ClassAccuracy:
    """How many samples carry the class asked for.

    Attributes:
        accuracies: share of each class's samples read as that class, by the class's name.
        samples: drawn over all classes, equally many of each.
        ceiling: share of real samples, which the judge had not seen, that it reads right.
        judge: what reads them.
    """

    accuracies: dict[str, float]
    samples: int
    ceiling: float
    judge: str

    @property
    def accuracy(self) -> float:
        """Share over all classes."""
        return float(np.mean([*self.accuracies.values()]))

    def __str__(self) -> str:
        return (
            f"{self.accuracy:.1%} of {self.samples:,} samples carry the class asked for, by a judge ({self.judge}) "
            f"that reads {self.ceiling:.1%} of real ones right"
        )


def class_accuracy(generator: TrainedGenerator, dataset: Dataset, source: Source, cache: Path) -> ClassAccuracy:
    """Ask a conditional generator for each class alike, and read what it gives.

    Pictures are read by a classifier that learns from the data, about ten seconds of one core on digits; points of a
    mixture by their nearest centre. The random numbers of the run are not touched.

    Args:
        generator: a conditional generator.
        dataset: the data that it learned from, opened.
        source: the same data as a value, which may know its modes.
        cache: a file for the classifier, taken from there if it is of these data.

    Raises:
        ValueError: with the reason, where the class cannot be read or would cost more than it tells.
    """
    classes = len(generator.classes)
    if classes < 2 or classes > MOST_CLASSES:
        raise ValueError(f"the class of samples is read for 2 to {MOST_CLASSES} classes, and here are {classes:,}")
    if not generator.is_image:
        return _by_nearest_centre(generator, dataset, source)
    if generator.images < SHORTEST:
        raise ValueError(f"the class of samples is read after runs of {SHORTEST:,} images or more")
    device = next(generator.module.parameters()).device
    classifier = picture_classifier(dataset, cache, device)
    labels, samples = _asked(generator)
    images = torch.from_numpy(samples).permute(0, 3, 1, 2)
    judge = f"classifier, {PROTOCOL}, {classifier.held_out:,} pictures held out"
    return _score(generator, labels, classifier.probabilities(images).argmax(1), classifier.accuracy, judge)


def picture_classifier(dataset: Dataset, cache: Path, device: torch.device, seen: int = SEEN) -> Classifier:
    """A classifier of the data's labelled pictures, from the cache if it was trained on the same, else trained.

    It learns from 20,000 of them at most, evenly chosen, and is shown `seen` in all. Raises `ValueError` where there
    are too few.
    """
    assert dataset.labels is not None
    count = min(len(dataset), _IMAGES, max(_BYTES // int(np.prod(dataset.shape)), 1))
    chosen = torch.arange(count) * len(dataset) // count
    images, labels = dataset.read(chosen), dataset.labels[chosen]
    shown = {"protocol": PROTOCOL, "seen": seen, "classes": len(dataset.classes)}
    facts = json.dumps({**shown, "data": _fingerprint(images, labels)})
    found = _cached(cache, facts)
    if found is not None:
        return found
    precision = precision_context(choose_precision("auto", device, convolutional=True), device)
    made = train_classifier(images.to(device), labels, len(dataset.classes), seen=seen, precision=precision)
    cache.parent.mkdir(parents=True, exist_ok=True)
    replace_durably(cache, safetensors.torch.save(made.state, {"zerosum": facts}))
    return made


def _by_nearest_centre(generator: TrainedGenerator, dataset: Dataset, source: Source) -> ClassAccuracy:
    known = isinstance(source, Multimodal) and len(source.centres()) == len(dataset.classes)
    if not known or not isinstance(source, Multimodal) or dataset.labels is None:
        raise ValueError(
            f"the class of points is read where each class is a Gaussian; {dataset.name} is something else"
        )
    centres = source.centres()
    labels, samples = _asked(generator)
    some = torch.arange(min(len(dataset), SAMPLES))
    ceiling = (_nearest(dataset.read(some), centres) == dataset.labels[some]).double().mean()
    return _score(generator, labels, _nearest(torch.from_numpy(samples), centres), float(ceiling), "nearest centre")


def _asked(generator: TrainedGenerator) -> tuple[Tensor, "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]"]:
    """Labels `(N,)`, equally many of each class, and the samples that the generator gives for them."""
    classes = len(generator.classes)
    labels = np.repeat(np.arange(classes), SAMPLES // classes)
    return torch.from_numpy(labels), generator.sample(len(labels), labels=labels)


def _nearest(points: Tensor, centres: Tensor) -> Tensor:
    return torch.cdist(points.double(), centres.double()).argmin(1)


def _score(generator: TrainedGenerator, labels: Tensor, read: Tensor, ceiling: float, judge: str) -> ClassAccuracy:
    right = (read == labels).double().view(len(generator.classes), -1).mean(1)
    named = dict(zip(generator.classes, right.tolist(), strict=True))
    return ClassAccuracy(named, len(labels), ceiling, judge)


def _fingerprint(images: Tensor, labels: Tensor) -> str:
    digest = hashlib.sha256(repr(tuple(images.shape)).encode())
    digest.update(images.numpy().tobytes())
    digest.update(labels.numpy().tobytes())
    return digest.hexdigest()


def _cached(cache: Path, facts: str) -> Classifier | None:
    """The classifier in a file, if there is one of just these facts; a damaged one is made anew."""
    try:
        with safetensors.safe_open(str(cache), framework="pt") as file:
            if (file.metadata() or {}).get("zerosum") != facts:
                return None
        return restored(safetensors.torch.load_file(str(cache)))
    except (OSError, ValueError, safetensors.SafetensorError):
        return None
