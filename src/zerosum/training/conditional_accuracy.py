"""Conditional accuracy: how often a classifier, trained on the run's data, assigns samples to the class asked for."""

__all__ = ()

import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from torch import Tensor

from zerosum._arrays import evenly
from zerosum._disk import replace_durably
from zerosum._foreign import read_tensors, taken_apart
from zerosum.data.dataset import Dataset, Multimodal, Source
from zerosum.features.classifier import PROTOCOL, SEEN, Classifier, restored, train_classifier
from zerosum.runs.generator import TrainedGenerator
from zerosum.training.device import choose_precision, precision_context

MOST_CLASSES = 100
SHORTEST = SEEN  # images of a run: the score should not cost more than the run
SAMPLES = 2_000  # drawn over all classes
_IMAGES, _BYTES = 20_000, 1 << 28  # training images of the classifier, and their bytes, at most


@dataclass(frozen=True)
class ClassAccuracy:
    """Conditional accuracy of a generator.

    Attributes:
        accuracies: share of each class's samples that are assigned to that class, by the class's name.
        samples: number of samples over all classes, equally many for each.
        ceiling: accuracy of the classifier on real samples that it was not trained on.
        classifier: description of the classifier.
    """

    accuracies: dict[str, float]
    samples: int
    ceiling: float
    classifier: str

    @property
    def accuracy(self) -> float:
        """Mean over all classes."""
        return float(np.mean([*self.accuracies.values()]))

    def __str__(self) -> str:
        return (
            f"conditional accuracy {self.accuracy:.1%} of {self.samples:,} samples "
            f"({self.classifier}; accuracy on real samples {self.ceiling:.1%})"
        )


def class_accuracy(generator: TrainedGenerator, dataset: Dataset, source: Source, cache: Path) -> ClassAccuracy:
    """Generate equally many samples of each class and classify them.

    Images are classified by a network trained on the data (about ten seconds of one core on digits), points of a
    mixture by their nearest centre. The random numbers of the run are not affected.

    Args:
        generator: a conditional generator.
        dataset: its training data, opened.
        source: the same data as a value; a `Multimodal` source gives the centres of its modes.
        cache: a file for the classifier; it is loaded if it was trained on the same data.

    Raises:
        ValueError: where the class cannot be predicted, or the classifier would cost more than the run.
    """
    classes = len(generator.classes)
    if classes < 2 or classes > MOST_CLASSES:
        raise ValueError(f"class accuracy is computed for 2 to {MOST_CLASSES} classes; found {classes:,}")
    if not generator.is_image:
        return _by_nearest_centre(generator, dataset, source)
    if generator.images < SHORTEST:
        raise ValueError(f"class accuracy is computed only for runs of at least {SHORTEST:,} images")
    device = next(generator.module.parameters()).device
    classifier = image_classifier(dataset, cache, device)
    labels, samples = _conditional_samples(generator)
    images = torch.from_numpy(samples).permute(0, 3, 1, 2)
    described = f"classifier, {PROTOCOL}, {classifier.held_out:,} test images"
    return _score(generator, labels, classifier.probabilities(images).argmax(1), classifier.accuracy, described)


def image_classifier(dataset: Dataset, cache: Path, device: torch.device, seen: int = SEEN) -> Classifier:
    """A classifier of the data's labelled images, from the cache if it was trained on the same data, else trained.

    It is trained on at most 20,000 of them, evenly spaced, for `seen` images in all. Raises `ValueError` where there
    are too few.
    """
    assert dataset.labels is not None
    count = min(len(dataset), _IMAGES, max(_BYTES // int(np.prod(dataset.shape)), 1))
    chosen = evenly(len(dataset), count)
    images, labels = dataset.read(chosen), dataset.labels[chosen]
    settings = {"protocol": PROTOCOL, "seen": seen, "classes": len(dataset.classes)}
    facts = json.dumps({**settings, "data": _fingerprint(images, labels)})
    found = _cached(cache, facts)
    if found is not None:
        return found
    precision = precision_context(choose_precision("auto", device, convolutional=True), device)
    made = train_classifier(images.to(device), labels, len(dataset.classes), seen=seen, precision=precision)
    with suppress(OSError):  # it only saves time
        cache.parent.mkdir(parents=True, exist_ok=True)
        replace_durably(cache, safetensors.torch.save(made.state, {"zerosum": facts}))
    return made


def _by_nearest_centre(generator: TrainedGenerator, dataset: Dataset, source: Source) -> ClassAccuracy:
    known = isinstance(source, Multimodal) and len(source.centres()) == len(dataset.classes)
    if not known or not isinstance(source, Multimodal) or dataset.labels is None:
        raise ValueError(f"class accuracy of points needs data in which each class is a Gaussian; found {dataset.name}")
    centres = source.centres()
    labels, samples = _conditional_samples(generator)
    some = torch.arange(min(len(dataset), SAMPLES))
    ceiling = (_nearest(dataset.read(some), centres) == dataset.labels[some]).double().mean()
    return _score(generator, labels, _nearest(torch.from_numpy(samples), centres), float(ceiling), "nearest centre")


def _conditional_samples(
    generator: TrainedGenerator,
) -> tuple[Tensor, "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]"]:
    """Labels `(N,)`, equally many of each class, and the samples generated for them."""
    classes = len(generator.classes)
    labels = np.repeat(np.arange(classes), SAMPLES // classes)
    return torch.from_numpy(labels), generator.sample(len(labels), labels=labels)


def _nearest(points: Tensor, centres: Tensor) -> Tensor:
    return torch.cdist(points.double(), centres.double()).argmin(1)


def _score(
    generator: TrainedGenerator, labels: Tensor, predicted: Tensor, ceiling: float, classifier: str
) -> ClassAccuracy:
    right = (predicted == labels).double().view(len(generator.classes), -1).mean(1)
    named = dict(zip(generator.classes, right.tolist(), strict=True))
    return ClassAccuracy(named, len(labels), ceiling, classifier)


def _fingerprint(images: Tensor, labels: Tensor) -> str:
    digest = hashlib.sha256(repr(tuple(images.shape)).encode())
    digest.update(images.numpy().tobytes())
    digest.update(labels.numpy().tobytes())
    return digest.hexdigest()


def _cached(cache: Path, facts: str) -> Classifier | None:
    """The classifier in a file; None where the file is missing, damaged, or of other facts."""
    try:
        state, metadata = read_tensors(cache)
        with taken_apart(cache):
            return restored(state) if metadata.get("zerosum") == facts else None
    except (OSError, ValueError):
        return None
