"""The classification accuracy score."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from zerosum.evaluation.classification_accuracy import classification_accuracy_score
from zerosum.evaluation.measure import HIGHER, MeasureInput, Needs, Score, ScoreInfo
from zerosum.features.classifier import SEEN


@dataclass(frozen=True)
class CAS:
    """Share of the real set that a classifier trained on generated samples predicts correctly.

    Ravuri and Vinyals 2019 (arXiv 1905.10887): `classification_accuracy_score`.

    Args:
        seen: total number of images that the classifier is trained on.
    """

    name: ClassVar[str] = "cas"
    needs: ClassVar[Needs] = Needs.both("images", "labels")
    gives: ClassVar[Mapping[str, ScoreInfo]] = MappingProxyType(
        {"cas": ScoreInfo(HIGHER, "Share of REAL that a classifier trained on FAKE predicts correctly.", "binomial")}
    )

    seen: int = SEEN

    @property
    def how(self) -> str:
        """The training length of the classifier and the kind of error."""
        return f"a small classifier trained on {self.seen:,} images; binomial error"

    def __call__(self, inputs: MeasureInput) -> Mapping[str, Score]:
        """The accuracy."""
        (real_labels, fake_labels), (real, fake) = inputs.labels, (inputs.real.images, inputs.fake.images)
        assert real is not None and fake is not None
        classes = int(max(real_labels.max(), fake_labels.max())) + 1
        generated, tested = (images.permute(0, 3, 1, 2).contiguous() for images in (fake, real))
        found = classification_accuracy_score(
            generated, fake_labels, tested, real_labels, classes, inputs.seed, self.seen
        )
        return {"cas": Score(found.value, found.standard_error)}
