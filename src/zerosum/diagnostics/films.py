"""The film of a game of points: its frames, with densities, the optimal discriminator and divergences."""

__all__ = ["film"]

import math
from dataclasses import dataclass
from functools import cached_property, partial

import torch
from torch import Tensor

from zerosum._arrays import evenly
from zerosum.diagnostics.densities import (
    Masses,
    chosen_bandwidth,
    density_masses,
    kernel_masses,
    leave_one_out,
    optimal_discriminator,
    pushed_masses,
)
from zerosum.networks.mlp import IdentityDiscriminator
from zerosum.objectives.kernel import MMD, Kernel
from zerosum.objectives.logistic import Minimax, NonSaturating
from zerosum.protocols import HasDensity, HasOptimum
from zerosum.recipes.recipe import Recipe
from zerosum.runs.frames import Frame, FrameData, load_frames
from zerosum.runs.latents import latent_quantiles
from zerosum.runs.run import Run

_SHOWN = {1: 256, 2: 128}  # places of the optimal D in each direction, by the number of dimensions
_WITNESSES = 512  # points of each set in the witness function


@dataclass(frozen=True, eq=False)
class Moment:
    """A frame of a film with what follows from it.

    Attributes:
        frame: the frame.
        q: the distribution of generated points.
        js: its Jensen-Shannon divergence from that of the data, in nats.
        gap: mean of |D - D*| over real and generated points alike, those within the window; None where D* is not known.
    """

    frame: Frame
    q: Masses
    js: float
    gap: float | None


@dataclass(frozen=True, eq=False)
class Film:
    """The film of a game of points in one or two dimensions, in the units of the networks.

    Attributes:
        recipe: the recipe.
        data: what the frames have in common.
        frames: the frames, by images.
    """

    recipe: Recipe
    data: FrameData
    frames: tuple[Frame, ...]

    @cached_property
    def exact(self) -> bool:
        """Whether G is a map of one latent number to one number, whose density follows by the change of variables."""
        return len(self.data.low) == 1 and latent_quantiles(self.recipe.latent, torch.tensor([0.5])) is not None

    @cached_property
    def bandwidth(self) -> float:
        """The standard deviation of the Gaussian that both distributions are blurred by; 0 where `exact`."""
        return 0.0 if self.exact else chosen_bandwidth(self.data.real, self.data.low, self.data.high)

    @cached_property
    def _known(self) -> Masses | None:
        source, scale = self.recipe.data, self.data.scale
        if not isinstance(source, HasDensity):
            return None
        try:
            return density_masses(
                lambda x: source.log_density(self.data.offset + scale * x) + scale.log().sum(),
                self.data.low,
                self.data.high,
            )
        except ValueError:  # such as points with a standard deviation of 0, or much narrower than a cell
            return None

    @property
    def known(self) -> bool:
        """Whether the density of the data is known; else it is estimated from their points."""
        return self._known is not None

    @cached_property
    def p(self) -> Masses:
        """The distribution of the data."""
        return self._estimated(self.data.real) if self._known is None else self._known.blurred(self.bandwidth)

    def _estimated(self, points: Tensor) -> Masses:
        width = self.bandwidth or chosen_bandwidth(self.data.real, self.data.low, self.data.high)
        return kernel_masses(points, self.data.low, self.data.high, width)

    @cached_property
    def noise(self) -> float:
        """The divergence of the data from themselves, as these are estimated: what sampling noise amounts to, in nats.

        That of the known density from as many real points as a frame has generated ones; where it is estimated, that
        of the two halves of the real points. It is 0 where nothing is estimated.
        """
        first, second = self.data.real[::2], self.data.real[1::2]
        if not len(second) or (self.exact and self.known):
            return 0.0
        return (self.p if self.known else self._estimated(first)).js(self._estimated(second))

    @property
    def optimum(self) -> bool:
        """Whether D's scores mean probabilities of which the best are known, p / (p + q)."""
        return isinstance(self.recipe.objective, HasOptimum) and self.recipe.objective.probability is not None

    @property
    def bound(self) -> bool:
        """Whether the value of the game is at most 2 JS - log 4, which the optimal D reaches (theorem 1 of 2014)."""
        objective = self.recipe.objective
        return isinstance(objective, Minimax | NonSaturating) and objective.real_label == 1

    def probability(self, scores: Tensor) -> Tensor:
        """What D's scores mean: the probability of being real where `optimum`, else the scores themselves."""
        objective = self.recipe.objective
        means = objective.probability if isinstance(objective, HasOptimum) else None
        return scores.float() if means is None else means(scores.float())

    @property
    def score(self) -> str:
        """What `field` is, in words."""
        if self.optimum:
            return "D(x)"
        return "witness of MMD" if self._kernel is not None else "D's score"

    @property
    def _kernel(self) -> Kernel | None:
        """The kernel of a game without a discriminator to learn, in which MMD itself compares points."""
        objective = self.recipe.objective
        direct = isinstance(self.recipe.discriminator, IdentityDiscriminator)
        return objective.kernel if direct and isinstance(objective, MMD) else None

    def field(self, frame: Frame) -> Tensor | None:
        """What D makes of the places of the lattice `(K,)`, float64; None where it has no score for each.

        Probabilities where `optimum`. Without a discriminator, the witness function of MMD, of which it is the largest
        mean difference: E k(x, real) - E k(x, generated) (Gretton et al. 2012, section 2.3).
        """
        if self._kernel is not None:
            places = self.data.lattice.double()
            sets = (points[evenly(len(points), _WITNESSES)].double() for points in (self.data.real, frame.samples))
            real, fake = (self._kernel(torch.cdist(places, points).square()).mean(1) for points in sets)
            return real - fake
        return None if frame.field is None else self.probability(frame.field).double()

    @cached_property
    def moments(self) -> tuple[Moment, ...]:
        """All frames with what follows from them."""
        return tuple(map(self._moment, self.frames))

    def _moment(self, frame: Frame) -> Moment:
        low, high = self.data.low, self.data.high
        if self.exact:
            q = pushed_masses(frame.samples, low, high)
        else:
            q = kernel_masses(frame.samples, low, high, self.bandwidth)
        return Moment(frame, q, self.p.js(q), self._gap(frame, q))

    def _gap(self, frame: Frame, q: Masses) -> float | None:
        if frame.real_scores is None or frame.fake_scores is None or not self.optimum:
            return None
        real = self.data.real[evenly(len(self.data.real), len(frame.real_scores))]
        chosen = evenly(len(frame.samples), len(frame.fake_scores))
        fake = frame.samples[chosen]
        others = partial(leave_one_out, low=self.data.low, high=self.data.high)
        q_fake = q.at(fake) if self.exact else others(frame.samples, bandwidth=self.bandwidth)[chosen]
        gaps = []
        for points, scores, at in ((real, frame.real_scores, q.at(real)), (fake, frame.fake_scores, q_fake)):
            best = optimal_discriminator(self.p.at(points).log(), at.log())
            gaps.append((self.probability(scores) - best).abs())
        mean = float(torch.cat(gaps).nanmean())
        return mean if math.isfinite(mean) else None

    def shown(self, moment: Moment) -> Tensor:
        """The optimal D `(n,) * d`, n 256 on the line and 128 in the plane; nan where hardly a point of either is."""
        factor = self.p.inside.shape[0] // _SHOWN[len(self.data.low)]
        p, q = self.p.coarser(factor), moment.q.coarser(factor)
        return p.optimal(q, least=0.1 / len(moment.frame.samples))


def film(run: Run) -> Film | None:
    """The film of a run; None where it has no frames, as a run on images.

    Raises `ValueError` for a folder that is not a run, and for damaged frames.
    """
    recipe, found = run.recipe, load_frames(run.path)
    return None if found is None else Film(recipe, found[0], tuple(found[1]))
