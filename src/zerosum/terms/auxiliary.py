"""Terms on the predictions of D's auxiliary head: the class of a sample, or its latent code."""

import math
from dataclasses import dataclass
from typing import get_args

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, log_softmax

from zerosum.conditions.components import UNKNOWN
from zerosum.conditions.condition import Reading
from zerosum.game.turn import Turn
from zerosum.terms._common import check_weight, required


def _condition(term: object, c: Tensor | None, kind: Reading) -> Tensor:
    """The condition; raises `ValueError` where it is not of the kind that D predicts for a term."""
    rows = kind != "labels"
    if c is None or c.is_floating_point() != rows or c.dim() != 1 + rows:
        raise ValueError(f"{type(term).__name__} predicts {kind}: use data with {kind}, and conditional=True")
    return c


@dataclass(frozen=True)
class AuxiliaryClass:
    """D: -weight (E log P(c | x) + E log P(c | G(z, c))). G: -weight E log P(c | G(z, c)). AC-GAN: Odena et al. 2017.

    Equation 3 of arXiv 1610.09585, with P = softmax of D's first logits, one for each class: both players maximise the
    likelihood of the class. It belongs among both players' terms. A label one above the last class marks a sample of
    unknown class, which is ignored.

    For binary attributes each has its own logit l, P(c = 1 | x) = sigmoid(l), as in StarGAN (Choi et al. 2018,
    arXiv 1711.09020). For continuous attributes (`numbers`) the logits are the predictions, and the squared error
    replaces -log P. Both are means over the components, without unknown attributes (0.5).

    Args:
        weight: weight (>= 0).
        others: logits after those of the condition, for other terms such as `MutualInformation` (>= 0).
        kind: the kind of condition: `labels`, `attributes` or `numbers`.
        generated: whether D is also trained to classify generated samples, as in the paper. G and D may then agree on
            features that no other classifier recognises as the class; False trains D on real samples only.
    """

    weight: float = 1.0
    others: int = 0
    kind: Reading = "labels"
    generated: bool = True

    def __post_init__(self) -> None:
        check_weight("weight", self.weight)
        if self.others < 0:
            raise ValueError(f"others counts logits that are not the class's, at least 0; found {self.others}")
        if self.kind not in get_args(Reading):
            raise ValueError(f"kind is {', '.join(get_args(Reading))}; found {self.kind!r}")

    @property
    def whole_batch(self) -> str:
        """Why batches cannot be split; empty where they can."""
        return "takes a mean over the known attributes of the batch" if self.kind == "attributes" else ""

    def __call__(self, turn: Turn) -> Tensor:
        """The classification loss, a scalar >= 0; raises `ValueError` without such a condition or logits."""
        c = _condition(self, turn.c, self.kind)
        if turn.player == "G":
            return self.weight * self._loss(turn, turn.fake.logits, c)
        loss = self._loss(turn, turn.real.logits, c)
        if self.generated:
            loss = loss + self._loss(turn, turn.fake.logits, c)
        return self.weight * loss

    def _loss(self, turn: Turn, logits: Tensor | None, c: Tensor) -> Tensor:
        """-E log P(c | x) over all known conditions, on all ranks."""
        least = 1 / turn.draws.ranks  # where none is known
        every = required(logits, "class logits (conditioning=Auxiliary())", self)
        predicted = every[:, : max(every.shape[1] - self.others, 0)]
        if self.kind == "labels":
            classes = predicted.shape[1]
            if not classes:
                raise ValueError(
                    f"AuxiliaryClass needs a logit for each class before {self.others} others; found "
                    f"{every.shape[1]} logits in all: choose conditioning=Auxiliary()"
                )
            count = turn.average((c != classes).sum()).clamp_min(least)
            return cross_entropy(predicted, c, ignore_index=classes, reduction="sum") / count
        if predicted.shape != c.shape:
            raise ValueError(
                f"AuxiliaryClass needs {c.shape[1]} logits, one for each attribute; found {predicted.shape[1]}: "
                f"choose a D with conditioning=Auxiliary()"
            )
        if self.kind == "numbers":
            return (predicted - c).square().mean()
        known = c != UNKNOWN
        losses = binary_cross_entropy_with_logits(predicted, c.to(predicted.dtype), reduction="none")
        return (losses * known).sum() / turn.average(known.sum()).clamp_min(least)


@dataclass(frozen=True)
class DiscriminativeClass:
    """A classifier in D that separates real from generated samples for each class: ADC-GAN, Hou et al. 2022.

    arXiv 2107.10060, with C = softmax over two logits for each class, for real samples (c+) and for generated ones
    (c-). D: -weight (E log C(c+ | x) + E log C(c- | G(z, c))). G: -weight E (log C(c+ | G) - log C(c- | G)).
    It belongs among both players' terms, with a D of `conditioning=Discriminative()`.

    A classifier that ignores whether samples are real (`AuxiliaryClass`) rewards G for samples that are easy to
    classify. This one classifies samples that are unlike the real ones of their class as generated. A label one above
    the last class marks a sample of unknown class, which is ignored.

    Args:
        weight: weight (>= 0), lambda in the paper.
    """

    weight: float = 1.0

    def __post_init__(self) -> None:
        check_weight("weight", self.weight)

    def __call__(self, turn: Turn) -> Tensor:
        """The loss of this turn, a scalar; D's is >= 0. Raises `ValueError` without labels or such predictions."""
        c = _condition(self, turn.c, "labels")
        fake = self._log_likelihoods(turn, turn.fake.sides, c)
        if turn.player == "G":
            return self.weight * (fake[1] - fake[0])
        real = self._log_likelihoods(turn, turn.real.sides, c)
        return -self.weight * (real[0] + fake[1])

    def _log_likelihoods(self, turn: Turn, sides: Tensor | None, c: Tensor) -> Tensor:
        """E log C(c+ | x) and E log C(c- | x) over all samples of known class, on all ranks."""
        logits = required(sides, "logits of real and generated classes (conditioning=Discriminative())", self)
        classes = logits.shape[2]
        every = log_softmax(logits.flatten(1), 1).view_as(logits)
        mine = every.gather(2, c.clamp_max(classes - 1)[:, None, None].expand(-1, 2, 1)).squeeze(2)
        known = c != classes
        return (mine * known[:, None]).sum(0) / turn.average(known.sum()).clamp_min(1 / turn.draws.ranks)


@dataclass(frozen=True)
class MutualInformation:
    """-E log Q(code | G(z)), Q given by D's logits: the bound on mutual information of InfoGAN, Chen et al. 2016.

    Equation 5 of arXiv 1606.03657, without the constant entropy of the code: G learns samples from which D's head can
    predict the code. It belongs among both players' terms. The code is the last part of z, as `InfoGANLatent` draws it:
    one-hot vectors, then continuous variables. It is predicted by D's last logits, in this order: those of each
    categorical variable, the means of the continuous ones and, with `stds`, the logarithms of their standard
    deviations, which are 1 otherwise.

    Args:
        categories: number of values of each categorical variable (>= 2), as in `InfoGANLatent`.
        continuous: number of continuous variables (>= 0), as in `InfoGANLatent`.
        weight: weight of the categorical part (>= 0).
        continuous_weight: weight of the continuous part (>= 0), smaller as its likelihood has another scale.
        stds: predict standard deviations too, as in the paper's appendix C. Then the term has no lower bound: the more
            accurate the means, the smaller the best standard deviation.
    """

    categories: tuple[int, ...] = (10,)
    continuous: int = 2
    weight: float = 1.0
    continuous_weight: float = 0.1
    stds: bool = False

    def __post_init__(self) -> None:
        check_weight("weight", self.weight)
        check_weight("continuous_weight", self.continuous_weight)
        size = sum(self.categories) + self.continuous
        if min(self.categories, default=2) < 2 or self.continuous < 0 or not size:
            raise ValueError(
                "a code has categorical variables of at least 2 values, continuous ones, or both; "
                f"found categories={self.categories}, continuous={self.continuous}"
            )

    @property
    def outputs(self) -> int:
        """Number of logits that D has to return."""
        return sum(self.categories) + self.continuous * (2 if self.stds else 1)

    def __call__(self, turn: Turn) -> Tensor:
        """The negative log-likelihood of the code, in nats, a scalar; raises `ValueError` where sizes do not fit."""
        size = sum(self.categories) + self.continuous
        if turn.z.shape[1] < size:
            raise ValueError(
                f"the code is the last {size} dimensions of z: use the latent InfoGANLatent; z has {turn.z.shape[1]}"
            )
        logits = required(turn.fake.logits, "logits", self)
        if logits.shape[1] < self.outputs:
            raise ValueError(f"this code needs {self.outputs} logits per sample; found {logits.shape[1]}")
        *codes, continuous = torch.split(turn.z[:, -size:], [*self.categories, self.continuous], dim=1)
        *predicted, moments = torch.split(
            logits[:, -self.outputs :], [*self.categories, self.outputs - sum(self.categories)], dim=1
        )
        loss = turn.zero()
        for class_logits, code in zip(predicted, codes, strict=True):
            loss = loss + self.weight * cross_entropy(class_logits, code)
        means = moments[:, : self.continuous]
        log_stds = moments[:, self.continuous :] if self.stds else torch.zeros_like(means)
        losses: Tensor = 0.5 * ((continuous - means) * (-log_stds).exp()).square() + log_stds
        return loss + self.continuous_weight * (losses + 0.5 * math.log(2 * math.pi)).sum(1).mean()
