"""Adaptive augmentations, whose probability follows how much D overfits.

Overfitting is measured by r = E[sign(D(x) - b)] on real training samples: 0 before D has learned anything, 1 when it
classifies all of them as real. The score b separates real and generated samples: 0 for logistic and hinge objectives,
half way between the labels for least squares. All others, such as relativistic objectives, critics (`Wasserstein`) and
energies, have no such score: r = E[sign(D(x) - D(G(z)))] over pairs is used. An objective of your own gives its b by an
attribute `boundary`.
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

    Each transformation is applied to each sample independently with probability p, and p is adjusted to bring
    r = E[sign(D(x) - b)] to `target`, with b the score that separates real and generated samples under the objective;
    for objectives without one, as relativistic ones, r = E[sign(D(x) - D(G(z)))] over pairs. Geometric transformations
    are merged into one resampling, colour transformations into one map. Logged as `ADA/p` and `ADA/r`.

    For high p augmentations leak: G generates augmented samples. The paper finds that this pipeline does not leak for p
    up to about 0.8 (section 2.2); a larger p indicates too little data. `limit=0.8` keeps p below that.

    Args:
        pipeline: the transformations, as in `FixedAugment`.
        target: target value of r.
        every: updates of D between two changes of p.
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
        """The augmented samples, of the same shape."""
        return applied(transformations(self.pipeline), x, turn.draws, f"augment {role}", self.adaptation.p.item())

    def meet(self, objective: Objective) -> None:
        """Take the objective's boundary between scores of real and generated samples; raises `ValueError` for MMD."""
        self.adaptation.meet(objective)

    def watch(self, player: str, turn: Turn, log: _Log) -> None:
        """After an update of D: adjust p by the signs of its scores on all ranks, and log p and r."""
        if player == "D":
            log["ADA/r"] = self.adaptation.after(turn, self.target, self.every, self.images, self.limit)
            log["ADA/p"] = self.adaptation.p.to(turn.x.device, torch.float32)

    def state_dict(self) -> dict[str, Tensor]:
        """p, and the statistics of D since its last change."""
        return self.adaptation.state_dict()

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Load the state from `state_dict()`."""
        self.adaptation.load_state_dict(state)


@dataclass(frozen=True)
class AdaptivePseudo:
    """APA: Jiang et al. 2021 (arXiv 2111.06849): some generated samples are presented to D as real.

    With probability p a real sample is replaced by a generated one. p is adjusted to bring the mean sign of the scores
    of the samples presented as real, lambda_r = E[sign(D(x) - b)], to `target`, with b, or pairs, as in ADA. Generated
    samples are not changed. Logged as `APA/p` and `APA/r`. The paper's proof that the equilibrium is unchanged requires
    p < 1: set `limit`. Gradient penalties at real samples are 0 where a sample is replaced.

    Args:
        target: target value of lambda_r.
        every: updates of D between two changes of p.
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
        """The augmented samples, of the same shape."""
        p = self.adaptation.p.item()
        if role != "real" or p == 0:
            return x
        if x.shape != turn.x_fake.shape:
            shapes = f"{tuple(x.shape)}, {tuple(turn.x_fake.shape)}"
            raise ValueError(f"real and generated samples differ in shape and cannot stand for each other: {shapes}")
        replaced = turn.draws.uniform(f"pseudo {role}", (len(x),) + (1,) * (x.dim() - 1)) < p
        return torch.where(replaced, turn.x_fake.detach(), x)

    def meet(self, objective: Objective) -> None:
        """Take the objective's boundary between scores of real and generated samples; raises `ValueError` for MMD."""
        self.adaptation.meet(objective)

    def watch(self, player: str, turn: Turn, log: _Log) -> None:
        """After an update of D: adjust p by the signs of its scores on all ranks, and log p and r."""
        if player == "D":
            log["APA/r"] = self.adaptation.after(turn, self.target, self.every, self.images, self.limit)
            log["APA/p"] = self.adaptation.p.to(turn.x.device, torch.float32)

    def state_dict(self) -> dict[str, Tensor]:
        """p, and the statistics of D since its last change."""
        return self.adaptation.state_dict()

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Load the state from `state_dict()`."""
        self.adaptation.load_state_dict(state)
