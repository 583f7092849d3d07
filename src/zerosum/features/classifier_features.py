"""A classifier trained on the user's labels as a feature extractor."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor, nn

from zerosum._arrays import described
from zerosum._disk import replace_durably
from zerosum._foreign import taken_apart
from zerosum._paths import user_path
from zerosum.features._images import checked
from zerosum.features._naming import ExtractorOptions
from zerosum.features._weights import read_weights, state_hash
from zerosum.features.classifier import PROTOCOL, SEEN, Classifier, restored, train_classifier
from zerosum.features.extractor import Features
from zerosum.features.feature_network import FeatureNetwork


class ClassifierFeatures:
    """Features and logits of a classifier trained on the user's own classes, for data unlike ImageNet.

    It is trained to distinguish the classes, so its scores measure how well samples match these, and variety within a
    class only as far as the features retain it. It takes images of one shape; grey ones count as r = g = b if it was
    trained on colour images.

    Args:
        classifier: a trained one.
    """

    name = "classifier"

    def __init__(self, classifier: Classifier) -> None:
        self.classifier = classifier

    @classmethod
    def trained(
        cls, images: Tensor, labels: Tensor, classes: int, seed: int = 0, seen: int = SEEN
    ) -> "ClassifierFeatures":
        """Train a classifier on labelled images: see `train_classifier`.

        Args:
            images: uint8 `(N, H, W, C)`, ten or more with one or three channels.
            labels: int64 `(N,)` in [0, classes).
            classes: number of classes, at least 2.
            seed: of the training.
            seen: training images in total, counted with repetition.

        Raises:
            ValueError: for images or labels of another kind.
        """
        return cls(train_classifier(checked(images).permute(0, 3, 1, 2).contiguous(), labels, classes, seed, seen))

    @classmethod
    def load(cls, path: Path | str, device: str | torch.device = "cpu") -> "ClassifierFeatures":
        """Load a classifier saved by `save`; raises `ValueError` for any other file."""
        state, _ = read_weights(user_path(path))
        with taken_apart(path):
            classifier = restored(state)
        classifier.reader.to(device)
        return cls(classifier)

    def save(self, path: Path | str) -> None:
        """Save the classifier as safetensors, for `classifier:FILE`."""
        replace_durably(user_path(path), safetensors.torch.save(self.classifier.state, {"zerosum": PROTOCOL}))

    @classmethod
    def named(cls, options: ExtractorOptions) -> "ClassifierFeatures":
        """Return the one that `classifier:FILE` names."""
        options.is_float32(cls.name)
        if not options.argument:
            raise ValueError("classifier:FILE takes a file that ClassifierFeatures.save wrote; found no file")
        return cls.load(options.argument, options.device)

    @property
    def facts(self) -> Mapping[str, str]:
        """Facts for the protocol of a score; `weights` is the sha256 of the classifier's tensors."""
        channels, height, width = self.classifier.shape
        return {
            "name": self.name,
            "weights": state_hash(self.classifier.state),
            "resize": f"none: images of {height}x{width}x{channels}",
            "dtype": "float32",
            "dimensions": str(self.classifier.state["head.weight"].shape[1]),
            "classes": str(self.classifier.classes),
            "accuracy": f"{self.classifier.accuracy:.4f} of {self.classifier.held_out} held out",
        }

    def module(self, side: int | None = None) -> FeatureNetwork:
        """Return the network as a module with gradients to its input, without maps; it takes images of one shape.

        Raises `ValueError` for a side, as images are not resized.
        """
        if side is not None:
            raise ValueError(f"a classifier reads images of the shape of its training; found side={side}: leave it out")
        reader = self.classifier.reader
        return FeatureNetwork(partial(_see, reader, self.classifier.shape), {**reader.state_dict()})

    def __call__(self, images: Tensor) -> Features:
        """Return features and logits of uint8 images `(B, H, W, C)` of the shape that the classifier was trained on.

        Raises:
            ValueError: for images of another shape.
        """
        x = checked(images).permute(0, 3, 1, 2)
        if x.shape[1] == 1:
            x = x.expand(-1, self.classifier.shape[0], -1, -1)
        logits, features = self.classifier.read(x)
        return Features(features, logits)


def _see(reader: nn.Module, shape: tuple[int, ...], x: Tensor, weights: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
    x = x.expand(-1, shape[0], -1, -1) if x.shape[1] == 1 else x
    if tuple(x.shape[1:]) != shape:
        raise ValueError(f"this classifier reads images (B, {', '.join(map(str, shape))}); found {described(x)}")
    _, features = torch.func.functional_call(reader, dict(weights), (x / 127.5 - 1,))
    return (features,)
