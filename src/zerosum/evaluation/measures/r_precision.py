"""Whether generated images show what their captions say."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from zerosum.evaluation.caption_matching import RIVALS, captions_found
from zerosum.evaluation.measure import HIGHER, MeasureInput, Needs, Score, ScoreInfo
from zerosum.evaluation.measures._pairs import ERROR, channels_first, mean_of
from zerosum.features.classifier import SEEN


@dataclass(frozen=True)
class RPrecision:
    """How often a generated image's caption is found among 99 others (AttnGAN, Xu et al. 2018, arXiv 1711.10485).

    The network that compares images and captions learns from real pairs alone, those of one half of the set for images
    of the other; the score of the real images is what it can find at all. Images drawn at random have .01.

    Args:
        seen: images that each of the two networks sees in training, counted with repetition.
    """

    name: ClassVar[str] = "r-precision"
    needs: ClassVar[Needs] = Needs(frozenset({"pairs", "captions"}), frozenset({"pairs"}))
    gives: ClassVar[Mapping[str, ScoreInfo]] = MappingProxyType(
        {
            "r_precision": ScoreInfo(HIGHER, "Share of generated images whose caption is found among 100.", ERROR),
            "r_precision_real": ScoreInfo("", "The same of the real images: what can be found at all.", ERROR),
        }
    )

    seen: int = SEEN

    @property
    def how(self) -> str:
        """The rivals and the networks."""
        return f"{RIVALS} other captions; networks of two halves of the real pairs, {self.seen} images each"

    def __call__(self, inputs: MeasureInput) -> Mapping[str, Score]:
        """The shares; raises `ValueError` for too few different captions."""
        real, fake = map(channels_first, inputs.pairs)
        assert inputs.real.captions is not None
        right, generated = captions_found(real, fake, inputs.real.captions, inputs.seed, self.seen)
        return {
            "r_precision": mean_of(generated.double(), inputs.errors),
            "r_precision_real": mean_of(right.double(), inputs.errors),
        }
