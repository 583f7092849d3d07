import numpy as np
import pytest
import torch

from zerosum.evaluation import classification_accuracy as module
from zerosum.evaluation.classification_accuracy import classification_accuracy_score
from zerosum.features.classifier import train_classifier


def bars(count, classes=4, seed=0, shape=(1, 12, 12)):
    """Noise images with a bright bar at a height given by the class."""
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, classes, count)
    images = draw.integers(0, 80, (count, *shape)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[:, 3 * label : 3 * label + 2] = 255
    return torch.from_numpy(images), torch.from_numpy(labels)


def score(generated, labels, real, real_labels, seen=4000):
    return classification_accuracy_score(generated, labels, real, real_labels, 4, seen=seen)


def test_accuracy_is_high_for_good_samples():
    found = score(*bars(200), *bars(100, seed=1))
    assert found.value > 0.9 and found.generated > 0.9 and min(found.classes) > 0.7
    assert found.standard_error == pytest.approx((found.value * (1 - found.value) / 100) ** 0.5)


def test_accuracy_is_low_for_wrong_classes():
    """With two classes exchanged, accuracy is high on generated images and low on real ones of these classes."""
    images, labels = bars(200)
    exchanged = torch.tensor([1, 0, 2, 3])[labels]
    found = score(images, exchanged, *bars(100, seed=1))
    assert found.generated > 0.9
    assert max(found.classes[:2]) < 0.2 and min(found.classes[2:]) > 0.8
    real_labels = bars(100, seed=1)[1]
    weights = real_labels.bincount(minlength=4).double() / 100
    assert found.value == pytest.approx(float((weights * torch.tensor(found.classes).double()).sum()))


def test_values_are_those_of_the_trained_classifier():
    generated, real = bars(60), bars(41, seed=1)
    found = classification_accuracy_score(*generated, *real, 4, seed=3, seen=600)
    classifier = train_classifier(*generated, 4, seed=3, seen=600)
    right = classifier.probabilities(real[0]).argmax(1) == real[1]
    assert (found.value, found.generated) == (pytest.approx(float(right.double().mean())), classifier.accuracy)


def test_a_class_without_real_images_has_no_accuracy():
    images, labels = bars(60, seed=1)
    kept = labels != 2
    found = score(*bars(60), images[kept], labels[kept], seen=300)
    assert found.classes[2] is None and all(share is not None for share in found.classes[:2])


def test_seed_length_and_precision_are_passed_to_training(monkeypatch):
    calls = []

    def train(*given, precision):
        calls.append((*given[2:], precision))
        return train_classifier(*given, precision=precision)

    def context():
        return torch.autocast("cpu", torch.bfloat16)

    monkeypatch.setattr(module, "train_classifier", train)
    classification_accuracy_score(*bars(20), *bars(20, seed=1), 4, seed=5, seen=256, precision=context)
    assert calls == [(4, 5, 256, context)]


def test_refusals():
    images, labels = bars(20)
    with pytest.raises(
        ValueError, match=r"real images must be at least 2, of the generated shape; found uint8 \(20, 1, 1"
    ):
        score(images, labels, images[:, :, 1:], labels)
    with pytest.raises(ValueError, match="real images must be at least 2, of the generated shape; found uint8"):
        score(images, labels, images[:1], labels[:1])
    for bad in (labels[1:], labels.float(), labels + 4, labels - 4):
        with pytest.raises(ValueError, match=r"real labels must be int64, one per image, in \[0, 4\); found"):
            score(images, labels, images, bad)
    with pytest.raises(ValueError, match="a classifier learns from ten or more uint8 images"):
        score(images[:9], labels[:9], images, labels)
