"""What samples found of a board's modes."""

__all__ = ()

from pathlib import Path

import torch
from torch import Tensor

from zerosum.data.dataset import Multimodal, Source
from zerosum.data.toys.stacked_digits import StackedDigits
from zerosum.features.classifier import PROTOCOL, Classifier
from zerosum.metrics.modes import ModeCoverage, label_coverage, mode_coverage
from zerosum.training.conditional_accuracy import image_classifier

SEEN = 200_000  # digits shown to the classifier that reads stacks of three, where an error counts three times
CONFIDENT = 0.9
RULES = "rules-1"  # how `probes` reads its sets: another number where that changes


def coverage(samples: Tensor, source: Source, judges: Path) -> ModeCoverage:
    """Count the modes in samples of a source that knows them.

    Points are counted by their distance to the centres. Stacked digits, uint8 `(N, 3, H, W)`, are read plane by plane
    by a classifier of the single digits, which is trained once and kept in the folder `judges`; a picture is of high
    quality where all its three digits are read with more than .9.

    Raises `ValueError` for data whose modes are not known.
    """
    if isinstance(source, Multimodal):
        return mode_coverage(samples, source.centres(), source.std)
    if not isinstance(source, StackedDigits):
        raise ValueError(f"modes are counted of Gaussians and of stacked digits; {source!r} is neither")
    labels, confident = read_stacks(samples, digit_judge(source, judges))
    return label_coverage(labels, confident, source.shares())


def digit_judge(source: StackedDigits, judges: Path) -> Classifier:
    """The classifier that reads a source's single digits."""
    return image_classifier(source.digits(), judges / f"{protocol(source)}.safetensors", torch.device("cpu"), SEEN)


def protocol(source: Source) -> str:
    """By what samples of a source are read, in a word that can name a file."""
    if isinstance(source, StackedDigits):
        digits = "embedded" if source.path is None else Path(source.path).stem
        return f"{PROTOCOL}-{SEEN}-{digits}".replace(" ", "-")
    return "nearest-centre" if isinstance(source, Multimodal) else RULES


def read_stacks(images: Tensor, judge: Classifier) -> tuple[Tensor, Tensor]:
    """The numbers 0 to 999 that pictures uint8 `(N, 3, H, W)` spell, and whether each was read with confidence."""
    probability, digit = judge.probabilities(images.flatten(0, 1)[:, None]).max(1)
    numbers = (digit.view(-1, 3) * torch.tensor([100, 10, 1])).sum(1)
    return numbers, (probability.view(-1, 3) > CONFIDENT).all(1)
