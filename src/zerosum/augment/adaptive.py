"""Augmentations whose probability follows how much D overfits.

D overfits where its scores of real samples leave those of generated ones behind, and r = E[sign D(x)] on the real
samples tells: 0 before D has learned anything, 1 when it takes all real samples it knows for real. The sign means
something only where D's scores are about 0 between real and generated, as in logistic and hinge games; a critic's
(`Wasserstein`) or a relativistic D's have no such zero, and for them `FixedAugment` is the choice.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from zerosum.augment._adapting import Adaptation, check_adaptation
from zerosum.augment._applying import applied
from zerosum.augment.pipelines import Pipeline, transformations
from zerosum.game.turn import Turn
from zerosum.protocols import Objective

_Log = dict[str, Tensor]


@dataclass(frozen=True)
class AdaptiveAugment:
    """ADA: Karras et al. 2020 (arXiv 2006.06676), section 3, with the pipeline of appendix B.

    Each transformation is done to each sample with probability p by itself, and p is led so that r = E[sign D(x)]
    stays at `target`; in relativistic games, whose scores have no zero, r = E[sign(D(x) - D(G(z)))] over their pairs.
    Motions make one resampling, colours one map. Logged as `ADA/p` and `ADA/r`.

    What D sees through augmentations it undoes, unless they are so likely that G can pass their results off as data:
    they leak. The paper finds that this pipeline does not leak for p up to about 0.8 (section 2.2), so where p settles
    above that, there is too little data; a `limit` of 0.8 holds it below.

    Args:
        pipeline: which transformations, as in `FixedAugment`.
        target: r to hold.
        every: moves of D from one change of p to the next.
        images: real images in which p can rise from 0 to 1.
        limit: largest p, in [0, 1].
    """

    pipeline: Pipeline = "bgc"
    target: float = 0.6
    every: int = 4
    images: int = 500_000
    limit: float = 1.0
    adaptation: Adaptation = field(default_factory=Adaptation, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        transformations(self.pipeline)
        check_adaptation(self.target, self.every, self.images, self.limit)

    def __call__(self, x: Tensor, role: str, turn: Turn) -> Tensor:
        """The samples as D shall see them."""
        return applied(transformations(self.pipeline), x, turn.draws, f"augment {role}", self.adaptation.p.item())

    def meet(self, objective: Objective) -> None:
        """Take note of what scores mean in the game."""
        self.adaptation.paired = objective.reads_real

    def watch(self, player: str, turn: Turn, log: _Log) -> None:
        """After a move of D: lead p by the signs of its scores on all ranks, and log both."""
        if player == "D":
            log["ADA/r"] = self.adaptation.after(turn, self.target, self.every, self.images, self.limit)
            log["ADA/p"] = self.adaptation.p.to(turn.x.device, torch.float32)

    def state_dict(self) -> dict[str, Tensor]:
        """p, and what was seen of D since it last changed."""
        return self.adaptation.state_dict()

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Take the memory back from `state_dict()`."""
        self.adaptation.load_state_dict(state)


@dataclass(frozen=True)
class AdaptivePseudo:
    """APA: Jiang et al. 2021 (arXiv 2111.06849): D is deceived about some generated samples.

    With probability p a real sample is replaced by the generated one in its place before D sees it as real; p is led so
    that lambda_r = E[sign D(x)], over what D saw as real, stays at `target`, in relativistic games as in ADA. Generated
    samples are left alone. Logged as `APA/p` and `APA/r`. The paper's proof that the game keeps its equilibrium wants p
    < 1, which a `limit` can hold. A penalty on the slope of D at real samples is 0 where a sample is replaced.

    Args:
        target: lambda_r to hold.
        every: moves of D from one change of p to the next.
        images: real images in which p can rise from 0 to 1.
        limit: largest p, in [0, 1].
    """

    target: float = 0.6
    every: int = 4
    images: int = 500_000
    limit: float = 1.0
    adaptation: Adaptation = field(default_factory=Adaptation, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_adaptation(self.target, self.every, self.images, self.limit)

    def __call__(self, x: Tensor, role: str, turn: Turn) -> Tensor:
        """The samples as D shall see them."""
        p = self.adaptation.p.item()
        if role != "real" or p == 0:
            return x
        if x.shape != turn.x_fake.shape:
            shapes = f"{tuple(x.shape)}, {tuple(turn.x_fake.shape)}"
            raise ValueError(f"real and generated samples differ in shape and cannot stand for each other: {shapes}")
        replaced = turn.draws.uniform(f"pseudo {role}", (len(x),) + (1,) * (x.dim() - 1)) < p
        return torch.where(replaced, turn.x_fake.detach(), x)

    def meet(self, objective: Objective) -> None:
        """Take note of what scores mean in the game."""
        self.adaptation.paired = objective.reads_real

    def watch(self, player: str, turn: Turn, log: _Log) -> None:
        """After a move of D: lead p by the signs of its scores on all ranks, and log both."""
        if player == "D":
            log["APA/r"] = self.adaptation.after(turn, self.target, self.every, self.images, self.limit)
            log["APA/p"] = self.adaptation.p.to(turn.x.device, torch.float32)

    def state_dict(self) -> dict[str, Tensor]:
        """p, and what was seen of D since it last changed."""
        return self.adaptation.state_dict()

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Take the memory back from `state_dict()`."""
        self.adaptation.load_state_dict(state)
