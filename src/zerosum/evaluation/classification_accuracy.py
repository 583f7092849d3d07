"""The classification accuracy score: what a classifier taught by generated pictures knows of real ones."""

from contextlib import nullcontext
from dataclasses import dataclass

import torch

from zerosum._arrays import Array, described, tensors
from zerosum.features.classifier import SEEN, Precision, train_classifier


@dataclass(frozen=True)
class ClassificationAccuracy:
    """How well real pictures are read by a classifier taught by generated ones.

    Attributes:
        value: share of the real pictures that it reads right, in [0, 1].
        standard_error: of that share over draws of as many real pictures.
        classes: the share for each class; None for one without a real picture.
        generated: the share of held-out generated pictures that it reads right: where this is high and `value` is not,
            it has learnt what it was shown, and that was not the data.
    """

    value: float
    standard_error: float
    classes: tuple[float | None, ...]
    generated: float


def classification_accuracy_score(
    generated: Array,
    generated_labels: Array,
    real: Array,
    real_labels: Array,
    classes: int,
    seed: int = 0,
    seen: int = SEEN,
    precision: Precision = nullcontext,
) -> ClassificationAccuracy:
    """Train a classifier on generated pictures and their labels, and test it on real ones (Ravuri and Vinyals 2019).

    For conditional games (arXiv 1905.10887, section 3). A class that is drawn wrongly or without variety is one that
    the classifier does not learn to read. The classifier is `train_classifier`'s, a small one: compare with the score
    that real training pictures reach in place of the generated ones.

    Args:
        generated: uint8 `(N, C, H, W)`, ten or more.
        generated_labels: the classes asked for, int64 `(N,)` in [0, classes).
        real: uint8 `(M, C, H, W)`, pictures that the generator was not trained on.
        real_labels: their classes, int64 `(M,)` in [0, classes).
        classes: how many there are, at least 2.
        seed, seen, precision: as for `train_classifier`.

    Raises:
        ValueError: for pictures or labels of another kind.
    """
    generated, generated_labels, real, real_labels = tensors(generated, generated_labels, real, real_labels)
    if real.shape[1:] != generated.shape[1:] or len(real) < 2:
        raise ValueError(f"2 or more real pictures of the generated shape are needed; found {described(real)}")
    fits = real_labels.dtype == torch.int64 and real_labels.shape == (len(real),)
    if not fits or int(real_labels.min()) < 0 or int(real_labels.max()) >= classes:
        raise ValueError(f"real labels must be int64, one a picture, in [0, {classes}); found {described(real_labels)}")
    taught = train_classifier(generated, generated_labels, classes, seed, seen, precision=precision)
    right = (taught.probabilities(real).argmax(1) == real_labels.cpu()).double()
    of = [right[real_labels.cpu() == label] for label in range(classes)]
    value = float(right.mean())
    error = (value * (1 - value) / len(right)) ** 0.5
    shares = tuple(float(share.mean()) if len(share) else None for share in of)
    return ClassificationAccuracy(value, error, shares, taught.accuracy)
