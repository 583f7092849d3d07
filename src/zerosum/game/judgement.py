"""The output of a discriminator on a batch."""

from dataclasses import dataclass, replace

from torch import Tensor

from zerosum.game.precision import at_least_float32


@dataclass(frozen=True, eq=False)
class Judgement:
    """The output of a discriminator on a batch of B samples.

    Attributes:
        score: `(B, ...)`, higher means more real: logits, critic values, patch maps, minus an energy, or a
            feature map for kernel objectives.
        features: `(B, ...)` intermediate features, for terms that match them; None where the network returns none.
        logits: `(B, ...)` predictions of the condition by an auxiliary head; None without such a head.
        sides: `(B, 2, classes)` logits of each class, first for real samples, then for generated ones; None where the
            head does not distinguish the two.
        embedding: `(B, ...)` embedding of the condition, of the shape of the features, whose product with them adds to
            the score; None without a projection.
        maps: feature maps `(B, channels, height, width)` of several layers, for terms that match them; empty where the
            network returns none. They are large, so they are for the terms of an update alone: the turn that watchers
            get has none after micro-batches or a compiled update.
    """

    score: Tensor
    features: Tensor | None = None
    logits: Tensor | None = None
    sides: Tensor | None = None
    embedding: Tensor | None = None
    maps: tuple[Tensor, ...] = ()

    @staticmethod
    def of(verdict: "Tensor | Judgement") -> "Judgement":
        """Wrap a bare score, and cast scores to float32 at least, so that losses stay accurate under autocast."""
        judgement = verdict if isinstance(verdict, Judgement) else Judgement(verdict)
        score = at_least_float32(judgement.score)
        return judgement if score is judgement.score else replace(judgement, score=score)
