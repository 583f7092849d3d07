"""How a condition enters a network.

The condition `c` of a batch is any tensor; a kind of condition, such as `Labels`, embeds it, and modules here bring the
embedding into a network. A network built with `condition=None` is called without `c`.
"""

__all__ = ["Auxiliary", "Concatenate", "ConditionalNorm", "Discriminative", "Head", "Join", "Projection", "Style"]

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from zerosum.conditions.condition import Condition
from zerosum.game.judgement import Judgement
from zerosum.game.precision import at_least_float32


def _check_dimensions(what: str, size: int) -> None:
    if size < 1:
        raise ValueError(f"{what} has a number of dimensions, at least 1; found {size}")


def check_embedding(size: int) -> None:
    """Raise `ValueError` for an embedding without dimensions, which would ignore the condition."""
    _check_dimensions("an embedding", size)


@dataclass(frozen=True)
class Concatenate:
    """Concatenate an embedding of the condition to the input: the conditional GAN of Mirza and Osindero 2014.

    To vectors it is appended; to images it is added as constant planes, one for each of its dimensions (arXiv
    1411.1784; planes as in Reed et al. 2016, arXiv 1605.05396).

    Args:
        size: dimensions of the embedding.
    """

    size: int = 16

    def __post_init__(self) -> None:
        check_embedding(self.size)


@dataclass(frozen=True)
class Projection:
    """Add <embedding of c, features> to the score: the projection head, Miyato and Koyama 2018 (arXiv 1802.05637)."""


@dataclass(frozen=True)
class ConditionalNorm:
    """Let the condition set scale and offset of a generator's batch norms.

    Conditional batch norm: Dumoulin et al. 2017 (arXiv 1610.07629), de Vries et al. 2017 (arXiv 1707.00683); in the
    generators of Miyato and Koyama 2018 (arXiv 1802.05637) and of SAGAN.
    """


@dataclass(frozen=True)
class Style:
    """Let a style set scale and offset of a generator's batch norms: two layers make it from latent and condition.

    Self-modulation, Chen et al. 2019 (arXiv 1810.01365), with one style for all norms, as in StyleGAN (Karras et al.
    2019, arXiv 1812.04948). Without a condition it is the latent's alone.

    Args:
        size: dimensions of the style, and of the embedding of the condition.
    """

    size: int = 64

    def __post_init__(self) -> None:
        _check_dimensions("a style", self.size)


@dataclass(frozen=True)
class Auxiliary:
    """D is not given the condition but predicts it beside the score: AC-GAN, Odena et al. 2017.

    The predictions are the judgement's logits (arXiv 1610.09585): one for each class or attribute, or the components of
    the vector. They are trained by a term such as `AuxiliaryClass`.
    """


@dataclass(frozen=True)
class Discriminative:
    """D is not given the label but predicts label and real/generated beside the score: ADC-GAN, Hou et al. 2022.

    The predictions are the judgement's `sides` (arXiv 2107.10060): two logits for each class, that of a real sample of
    it and that of a generated one. They are trained by `DiscriminativeClass`. Other conditions than labels are refused.
    """


def needed(c: Tensor | None) -> Tensor:
    """The condition; raises `ValueError` where a conditional network was called without one."""
    if c is None:
        raise ValueError("this network is conditional: call it with a condition c")
    return c


class Join(nn.Module):
    """Concatenate an embedding of the condition to vectors `(B, d)` or, as planes, to maps `(B, C, H, W)`.

    Args:
        condition: what c is; None joins nothing.
        size: dimensions of the embedding.
        scale: standard deviation at which the embedding begins.
    """

    def __init__(self, condition: Condition | None, size: int, scale: float = 1.0) -> None:
        super().__init__()
        self.size = 0 if condition is None else size
        self.embedding = None if condition is None else condition.embed(size, scale)

    def forward(self, h: Tensor, c: Tensor | None = None) -> Tensor:
        """`(B, d + size)` or `(B, C + size, H, W)`."""
        if self.embedding is None:
            return h
        planes = self.embedding(needed(c)).to(h.dtype)
        planes = planes[(...,) + (None,) * (h.dim() - 2)].expand(-1, -1, *h.shape[2:])
        return torch.cat([h, planes], dim=1)


Way = Concatenate | Projection | ConditionalNorm | Style | Auxiliary | Discriminative


def check_way(conditioning: Way, *known: type[Way]) -> None:
    """Raise `ValueError` for a way of conditioning that a network does not support, and would ignore."""
    if not isinstance(conditioning, known):
        names = " or ".join(way.__name__ for way in known)
        raise ValueError(f"the condition enters this network by {names}; found conditioning={conditioning!r}")


def entrance(conditioning: Way, condition: Condition | None) -> tuple[Join, Condition | None]:
    """The layer that joins c to a network's input, and the condition that its head or norms use, or None."""
    if isinstance(conditioning, Concatenate):
        return Join(condition, conditioning.size), None
    return Join(None, 0), None if isinstance(conditioning, Auxiliary | Discriminative) else condition


class Predictions(NamedTuple):
    """How much a discriminator predicts beside the score: `logits`, and `classes` by side, of each two logits."""

    logits: int = 0
    classes: int = 0


_NOTHING = Predictions()


def predictions(conditioning: Way, condition: Condition | None, auxiliary: int) -> Predictions:
    """What a discriminator predicts: the condition's logits under `Auxiliary`, then `auxiliary` more; or its classes.

    Raises `ValueError` for `Discriminative` with a condition without classes, and for `Auxiliary` with one that cannot
    be predicted.
    """
    if condition is None or not isinstance(conditioning, Auxiliary | Discriminative):
        return Predictions(auxiliary)
    if isinstance(conditioning, Auxiliary):
        if condition.prediction is None:
            raise ValueError(
                f"Auxiliary() predicts conditions, and none can be predicted of {condition!r}: give D the condition, "
                f"as by Concatenate() or Projection()"
            )
        return Predictions(auxiliary + condition.prediction.logits)
    if not condition.classes:
        raise ValueError(f"Discriminative() predicts class labels, and here are {condition!r}: choose Auxiliary()")
    return Predictions(auxiliary, len(condition.classes))


def check_auxiliary(auxiliary: int) -> None:
    """Raise `ValueError` for a number of predictions below 0."""
    if auxiliary < 0:
        raise ValueError(f"auxiliary counts numbers to predict, at least 0; found {auxiliary}")


def check_scores(scores: int) -> None:
    """Raise `ValueError` for a score without dimensions."""
    _check_dimensions("a score", scores)


class Head(nn.Module):
    """Score feature vectors: a linear map, plus the projection <e(c), features> where there is a condition.

    Args:
        features: dimensions of a feature vector.
        condition: what c is, for the projection; None for the linear map alone.
        predicted: what further linear maps predict.
        scores: dimensions of a sample's score; several are a feature map for `MMD`, to each of which the projection
            adds.
    """

    def __init__(
        self,
        features: int,
        condition: Condition | None = None,
        predicted: Predictions = _NOTHING,
        scores: int = 1,
    ) -> None:
        super().__init__()
        self.linear = nn.Linear(features, scores)
        self.embedding = None if condition is None else condition.embed(features, features**-0.5)
        self.auxiliary = nn.Linear(features, predicted.logits) if predicted.logits else None
        self.sides = nn.Linear(features, 2 * predicted.classes) if predicted.classes else None

    def forward(self, features: Tensor, c: Tensor | None = None) -> Tensor:
        """Scores `(B,)`, or `(B, scores)` where there are several, of features `(B, features)`."""
        return self._score(features, self._embedded(c))

    def judge(self, features: Tensor, c: Tensor | None = None, returned: Tensor | None = None) -> Judgement:
        """Scores and predictions of features `(B, features)`, returned with these features unless others are given."""
        logits = None if self.auxiliary is None else at_least_float32(self.auxiliary(features))
        sides = None if self.sides is None else at_least_float32(self.sides(features).unflatten(1, (2, -1)))
        embedding, returned = self._embedded(c), features if returned is None else returned
        return Judgement(self._score(features, embedding), returned, logits, sides, embedding)

    def _embedded(self, c: Tensor | None) -> Tensor | None:
        return None if self.embedding is None else at_least_float32(self.embedding(needed(c)))

    def _score(self, features: Tensor, embedding: Tensor | None) -> Tensor:
        score: Tensor = self.linear(features)
        if embedding is not None:
            score = at_least_float32(score) + (embedding * features).sum(1, keepdim=True)
        return score.squeeze(1)
