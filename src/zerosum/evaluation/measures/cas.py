"""The classification accuracy score."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from zerosum.evaluation.classification_accuracy import classification_accuracy_score
from zerosum.evaluation.measure import HIGHER, Needs, Score, ScoreInfo, Sides
from zerosum.features.classifier import SEEN


@dataclass(frozen=True)
class CAS:
    """Share of the real set that a classifier trained on generated samples predicts correctly.

    Ravuri and Vinyals 2019 (arXiv 1905.10887): `classification_accuracy_score`.

    Args:
        seen: images that the classifier is trained on in all.
    """

    name: ClassVar[str] = "cas"
    needs: ClassVar[Needs] = Needs.both("images", "labels")
    gives: ClassVar[Mapping[str, ScoreInfo]] = MappingProxyType(
        {"cas": ScoreInfo(HIGHER, "Share of REAL that a classifier trained on FAKE predicts correctly.", "binomial")}
    )

    seen: int = SEEN

    @property
    def how(self) -> str:
        """How long the classifier is trained, and how the error is made."""
        return f"a small classifier trained on {self.seen:,} images; binomial error"

    def __call__(self, sides: Sides) -> Mapping[str, Score]:
        """The accuracy."""
        (those, these), (real, fake) = sides.labels, (sides.real.images, sides.fake.images)
        assert real is not None and fake is not None
        classes = int(max(those.max(), these.max())) + 1
        generated, read = (images.permute(0, 3, 1, 2).contiguous() for images in (fake, real))
        found = classification_accuracy_score(generated, these, read, those, classes, sides.seed, self.seen)
        return {"cas": Score(found.value, found.standard_error)}
