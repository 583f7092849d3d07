"""What a discriminator says of a batch."""

from dataclasses import dataclass, replace

from torch import Tensor

from zerosum.game.precision import at_least_float32


@dataclass(frozen=True, eq=False)
class Judgement:
    """A discriminator's word on a batch of B samples.

    Attributes:
        score: `(B, ...)`, higher means more real: logits, critic values, patch maps, minus an energy, or a
            feature map for kernel objectives.
        features: `(B, ...)` inner features, for terms that match them; None where a network has none to show.
        logits: `(B, ...)` predictions about the condition, of an auxiliary head; None where there is no such head.
        sides: `(B, 2, classes)` logits of each class, first as a real sample's, then as a generated one's; None where
            these are not told apart.
    """

    score: Tensor
    features: Tensor | None = None
    logits: Tensor | None = None
    sides: Tensor | None = None

    @staticmethod
    def of(verdict: "Tensor | Judgement") -> "Judgement":
        """Wrap a bare score, and bring scores to float32 at least, so that losses keep their digits under autocast."""
        judgement = verdict if isinstance(verdict, Judgement) else Judgement(verdict)
        score = at_least_float32(judgement.score)
        return judgement if score is judgement.score else replace(judgement, score=score)
