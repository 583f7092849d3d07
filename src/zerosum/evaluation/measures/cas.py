"""The classification accuracy score."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import torch
from torch import Tensor

from zerosum.evaluation.classification_accuracy import classification_accuracy_score
from zerosum.evaluation.measure import HIGHER, MeasureInput, Needs, Score, ScoreInfo
from zerosum.features.classifier import SEEN

_AGAIN = 6  # further classifiers, for the standard error


@dataclass(frozen=True)
class CAS:
    """Share of the real set that a classifier trained on generated samples predicts correctly.

    Ravuri and Vinyals 2019 (arXiv 1905.10887): `classification_accuracy_score`. Its standard error is a bootstrap:
    further classifiers are trained from other seeds, on generated samples drawn with replacement.

    Args:
        seen: total number of images that each classifier is trained on.
    """

    name: ClassVar[str] = "cas"
    needs: ClassVar[Needs] = Needs.both("images", "labels")
    gives: ClassVar[Mapping[str, ScoreInfo]] = MappingProxyType(
        {
            "cas": ScoreInfo(
                HIGHER,
                "Share of REAL that a classifier trained on FAKE predicts correctly.",
                "sampling of the generated set and training, with REAL fixed",
            )
        }
    )

    seen: int = SEEN

    @property
    def how(self) -> str:
        """The training length of the classifier and the kind of error."""
        return (
            f"a small classifier trained on {self.seen:,} images; error by {_AGAIN} more on bootstrap samples of FAKE"
        )

    def __call__(self, inputs: MeasureInput) -> Mapping[str, Score]:
        """The accuracy."""
        (real_labels, labels), (real, fake) = inputs.labels, (inputs.real.images, inputs.fake.images)
        assert real is not None and fake is not None
        classes = int(max(real_labels.max(), labels.max())) + 1
        generated, tested = (images.permute(0, 3, 1, 2).contiguous() for images in (fake, real))

        def accuracy(rows: Tensor, seed: int) -> float:
            return classification_accuracy_score(
                generated[rows], labels[rows], tested, real_labels, classes, seed, self.seen
            ).value

        value = accuracy(torch.arange(len(labels)), inputs.seed)
        if not inputs.errors:
            return {"cas": Score(value)}
        draw = torch.Generator().manual_seed(inputs.seed)
        samples = [torch.randint(len(labels), (len(labels),), generator=draw) for _ in range(_AGAIN)]
        again = [accuracy(rows, inputs.seed + number) for number, rows in enumerate(samples, 1)]
        return {"cas": Score(value, float(torch.tensor(again, dtype=torch.float64).std()))}
