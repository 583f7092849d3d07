"""Classification accuracy score: accuracy on real images of a classifier trained on generated images."""

from contextlib import nullcontext
from dataclasses import dataclass

import torch

from zerosum._arrays import Array, described, tensors
from zerosum.features.classifier import SEEN, Precision, train_classifier


@dataclass(frozen=True)
class ClassificationAccuracy:
    """Accuracy on real images of a classifier trained on generated images.

    Attributes:
        value: accuracy on real images, in [0, 1].
        standard_error: binomial standard error of `value`.
        classes: accuracy for each class; None for classes without real images.
        generated: accuracy on held-out generated images: if this is high and `value` is low, the classifier has learnt
            the generated classes, and these differ from the data.
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
    """Train a classifier on generated images and their labels, and test it on real ones (Ravuri and Vinyals 2019).

    For conditional GANs (arXiv 1905.10887, section 3). The classifier does not learn to predict a class whose samples
    are wrong or lack variety. It is the small one of `train_classifier`: compare with the score of real training images
    in place of generated ones.

    Args:
        generated: uint8 `(N, C, H, W)`, at least ten.
        generated_labels: class labels given to the generator, int64 `(N,)` in [0, classes).
        real: uint8 `(M, C, H, W)`, images that the generator was not trained on.
        real_labels: their class labels, int64 `(M,)` in [0, classes).
        classes: number of classes, at least 2.
        seed, seen, precision: as for `train_classifier`.

    Raises:
        ValueError: for images or labels of another shape or dtype.
    """
    generated, generated_labels, real, real_labels = tensors(generated, generated_labels, real, real_labels)
    if real.shape[1:] != generated.shape[1:] or len(real) < 2:
        raise ValueError(f"real images must be at least 2, of the generated shape; found {described(real)}")
    fits = real_labels.dtype == torch.int64 and real_labels.shape == (len(real),)
    if not fits or int(real_labels.min()) < 0 or int(real_labels.max()) >= classes:
        raise ValueError(f"real labels must be int64, one per image, in [0, {classes}); found {described(real_labels)}")
    classifier = train_classifier(generated, generated_labels, classes, seed, seen, precision=precision)
    right = (classifier.probabilities(real).argmax(1) == real_labels.cpu()).double()
    of = [right[real_labels.cpu() == label] for label in range(classes)]
    value = float(right.mean())
    error = (value * (1 - value) / len(right)) ** 0.5
    shares = tuple(float(share.mean()) if len(share) else None for share in of)
    return ClassificationAccuracy(value, error, shares, classifier.accuracy)
