"""Terms on what D's auxiliary head reads off a sample: its class, and side, or the code that it was made from."""

import math
from dataclasses import dataclass
from typing import get_args

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, log_softmax

from zerosum.conditions.components import UNKNOWN
from zerosum.conditions.condition import Reading
from zerosum.game.turn import Turn
from zerosum.terms._common import check_weight, shown


def _to_read(term: object, c: Tensor | None, kind: Reading) -> Tensor:
    """The condition; raises `ValueError` where it is not of the kind that a term has D read."""
    rows = kind != "labels"
    if c is None or c.is_floating_point() != rows or c.dim() != 1 + rows:
        read = "the class of a sample: play by labels" if not rows else f"the {kind} of a sample: play by such"
        raise ValueError(f"{type(term).__name__} has D read {read}, with conditional=True")
    return c


@dataclass(frozen=True)
class AuxiliaryClass:
    """D: -weight (E log P(c | x) + E log P(c | G(z, c))). G: -weight E log P(c | G(z, c)). AC-GAN: Odena et al. 2017.

    Equation 3 of arXiv 1610.09585, with P = softmax of D's first logits, one for each class: both players want the
    class to be read. It belongs among both players' terms. A label one above the last class says that nothing is told
    of a sample, and of it nothing has to be read.

    Of attributes each has a logit l of its own, with P(yes | x) = sigmoid(l), as in StarGAN (Choi et al. 2018,
    arXiv 1711.09020); of numbers the logits are the guesses, and their squared errors take the place of -log P. Both
    are means over the entries, without attributes of 0.5, of which nothing is told.

    Args:
        weight: weight (>= 0).
        others: logits after those of the condition, which other terms read, as `MutualInformation` does (>= 0).
        kind: what the condition is: `labels`, `attributes` or `numbers`.
        generated: whether D learns to read generated samples too, as in the paper. The two players may then agree on
            marks that nobody else reads as the class; a D that learns from real samples alone has no part in that.
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
        return "takes a mean over those attributes of the batch that are told" if self.kind == "attributes" else ""

    def __call__(self, turn: Turn) -> Tensor:
        """What D cannot read on this turn, a scalar >= 0; raises `ValueError` without such a condition or logits."""
        c = _to_read(self, turn.c, self.kind)
        if turn.player == "G":
            return self.weight * self._unread(turn, turn.fake.logits, c)
        unread = self._unread(turn, turn.real.logits, c)
        if self.generated:
            unread = unread + self._unread(turn, turn.fake.logits, c)
        return self.weight * unread

    def _unread(self, turn: Turn, logits: Tensor | None, c: Tensor) -> Tensor:
        """-E log P(c | x) over all that is told, on all ranks."""
        least = 1 / turn.draws.ranks  # where nothing is told
        every = shown(logits, "logits", self)
        guesses = every[:, : max(every.shape[1] - self.others, 0)]
        if self.kind == "labels":
            classes = guesses.shape[1]
            if not classes:
                raise ValueError(
                    f"AuxiliaryClass reads a logit for each class, before {self.others} others, and this D shows "
                    f"{every.shape[1]} logits in all: choose conditioning=Auxiliary()"
                )
            told = turn.average((c != classes).sum()).clamp_min(least)
            return cross_entropy(guesses, c, ignore_index=classes, reduction="sum") / told
        if guesses.shape != c.shape:
            raise ValueError(
                f"AuxiliaryClass reads {c.shape[1]} entries off as many logits; found {guesses.shape[1]}: "
                f"choose a D with conditioning=Auxiliary()"
            )
        if self.kind == "numbers":
            return (guesses - c).square().mean()
        known = c != UNKNOWN
        surprise = binary_cross_entropy_with_logits(guesses, c.to(guesses.dtype), reduction="none")
        return (surprise * known).sum() / turn.average(known.sum()).clamp_min(least)


@dataclass(frozen=True)
class DiscriminativeClass:
    """D tells real samples of a class from generated ones, class by class: ADC-GAN, Hou et al. 2022.

    arXiv 2107.10060, with C = softmax over two logits for each class, as a real sample's (c+) and as a generated one's
    (c-). D: -weight (E log C(c+ | x) + E log C(c- | G(z, c))). G: -weight E (log C(c+ | G) - log C(c- | G)).
    It belongs among both players' terms, with a D of `conditioning=Discriminative()`.

    A D that only reads classes (`AuxiliaryClass`) pays G for what is easily read, real or not; here a sample that no
    real one of its class resembles is told to be generated. A label one above the last class says that nothing is told
    of a sample, and of it nothing has to be read.

    Args:
        weight: weight (>= 0), lambda in the paper.
    """

    weight: float = 1.0

    def __post_init__(self) -> None:
        check_weight("weight", self.weight)

    def __call__(self, turn: Turn) -> Tensor:
        """The loss of this turn, a scalar; D's is >= 0. Raises `ValueError` without labels or such predictions."""
        c = _to_read(self, turn.c, "labels")
        fake = self._log_likelihoods(turn, turn.fake.sides, c)
        if turn.player == "G":
            return self.weight * (fake[1] - fake[0])
        real = self._log_likelihoods(turn, turn.real.sides, c)
        return -self.weight * (real[0] + fake[1])

    def _log_likelihoods(self, turn: Turn, sides: Tensor | None, c: Tensor) -> Tensor:
        """E log C(c+ | x) and E log C(c- | x) over all that is told, on all ranks."""
        logits = shown(sides, "classes by side", self)
        classes = logits.shape[2]
        every = log_softmax(logits.flatten(1), 1).view_as(logits)
        mine = every.gather(2, c.clamp_max(classes - 1)[:, None, None].expand(-1, 2, 1)).squeeze(2)
        told = c != classes
        return (mine * told[:, None]).sum(0) / turn.average(told.sum()).clamp_min(1 / turn.draws.ranks)


@dataclass(frozen=True)
class MutualInformation:
    """-E log Q(code | G(z)), Q read off D's logits: the bound on mutual information of InfoGAN, Chen et al. 2016.

    Equation 5 of arXiv 1606.03657, without the constant entropy of the code: G is led to show the code in its samples,
    and D's head to read it there. It belongs among both players' terms. The code is the last part of z, as
    `InfoGANLatent` draws it: one-hot vectors, then continuous numbers. It is read off D's last logits, in this order:
    those of each categorical variable, the means of the continuous ones and, with `deviations`, the logarithms of their
    standard deviations, which are 1 without.

    Args:
        categories: number of values of each categorical variable (>= 2), as in `InfoGANLatent`.
        continuous: number of continuous variables (>= 0), as in `InfoGANLatent`.
        weight: weight of the categorical part (>= 0).
        continuous_weight: weight of the continuous part (>= 0), smaller as its likelihood has another scale.
        deviations: read standard deviations too, as in the paper's appendix C. Then the term has no lower bound: the
            better a code is read, the smaller a deviation pays.
    """

    categories: tuple[int, ...] = (10,)
    continuous: int = 2
    weight: float = 1.0
    continuous_weight: float = 0.1
    deviations: bool = False

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
        """Number of logits that D has to show."""
        return sum(self.categories) + self.continuous * (2 if self.deviations else 1)

    def __call__(self, turn: Turn) -> Tensor:
        """The negative log-likelihood of the code, in nats, a scalar; raises `ValueError` where sizes do not fit."""
        size = sum(self.categories) + self.continuous
        if turn.z.shape[1] < size:
            raise ValueError(
                f"the code is the last {size} entries of z: use the latent InfoGANLatent; z has {turn.z.shape[1]}"
            )
        logits = shown(turn.fake.logits, "logits", self)
        if logits.shape[1] < self.outputs:
            raise ValueError(f"this code is read off {self.outputs} logits a sample; found {logits.shape[1]}")
        *codes, numbers = torch.split(turn.z[:, -size:], [*self.categories, self.continuous], dim=1)
        *guesses, moments = torch.split(
            logits[:, -self.outputs :], [*self.categories, self.outputs - sum(self.categories)], dim=1
        )
        unread = turn.zero()
        for guess, code in zip(guesses, codes, strict=True):
            unread = unread + self.weight * cross_entropy(guess, code)
        means = moments[:, : self.continuous]
        log_deviations = moments[:, self.continuous :] if self.deviations else torch.zeros_like(means)
        surprise: Tensor = 0.5 * ((numbers - means) * (-log_deviations).exp()).square() + log_deviations
        return unread + self.continuous_weight * (surprise + 0.5 * math.log(2 * math.pi)).sum(1).mean()
