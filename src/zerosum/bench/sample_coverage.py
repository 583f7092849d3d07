"""Mode coverage of samples of a task."""

__all__ = ()

from pathlib import Path

import torch
from torch import Tensor

from zerosum.data.dataset import Multimodal, Source
from zerosum.data.toys.stacked_digits import StackedDigits
from zerosum.features.classifier import PROTOCOL, Classifier
from zerosum.metrics.modes import ModeCoverage, label_coverage, mode_coverage
from zerosum.training.conditional_accuracy import image_classifier

SEEN = 200_000  # digits that the classifier is trained on; an error counts three times in a stack
CONFIDENT = 0.9
RULES = "rules-1"  # version of the detectors of `probes`


def coverage(samples: Tensor, source: Source, classifiers: Path) -> ModeCoverage:
    """Count the modes in samples of a source that knows them.

    Points are counted by their distance to the centres. The channels of stacked digits, uint8 `(N, 3, H, W)`, are
    predicted by a classifier of single digits, which is trained once and saved in the folder `classifiers`; an image is
    of high quality if all three digits have a probability above .9.

    Raises `ValueError` for data without known modes.
    """
    if isinstance(source, Multimodal):
        return mode_coverage(samples, source.centres(), source.std)
    if not isinstance(source, StackedDigits):
        raise ValueError(f"mode coverage needs Gaussians or stacked digits; found {source!r}")
    labels, confident = predict_stacks(samples, digit_classifier(source, classifiers))
    return label_coverage(labels, confident, source.shares())


def digit_classifier(source: StackedDigits, classifiers: Path) -> Classifier:
    """The classifier of the single digits of a source."""
    return image_classifier(source.digits(), classifiers / f"{protocol(source)}.safetensors", torch.device("cpu"), SEEN)


def protocol(source: Source) -> str:
    """The evaluation method of a source, as part of a file name."""
    if isinstance(source, StackedDigits):
        digits = "embedded" if source.path is None else Path(source.path).stem
        return f"{PROTOCOL}-{SEEN}-{digits}".replace(" ", "-")
    return "nearest-centre" if isinstance(source, Multimodal) else RULES


def predict_stacks(images: Tensor, classifier: Classifier) -> tuple[Tensor, Tensor]:
    """Predicted numbers 0 to 999 of images uint8 `(N, 3, H, W)`, and whether all three digits are confident."""
    probability, digit = classifier.probabilities(images.flatten(0, 1)[:, None]).max(1)
    numbers = (digit.view(-1, 3) * torch.tensor([100, 10, 1])).sum(1)
    return numbers, (probability.view(-1, 3) > CONFIDENT).all(1)
