"""Tune a generator to inverted images, so that it makes them exactly and all else as before."""

__all__ = ["TuneOptions", "tune"]

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from zerosum.game.random import stream
from zerosum.latent.inversion import Inversion, distance, squared_error
from zerosum.latent.model import Inputs
from zerosum.latent.space import Space, space_of
from zerosum.recipes.fit import convert_fields

_BETAS = (0.9, 0.99)
_CHECKED = 100  # samples whose change is measured, none of which tuning has seen
_EVERY, _WARM = 10, 20  # updates between two checks, and over which the rate rises
_DRAWN = 1024  # samples from which those of an update are drawn


@dataclass(frozen=True)
class TuneOptions:
    """How a generator is tuned, and when that stops.

    Attributes:
        updates: of G, at most.
        rate: of Adam at first; it falls to 0.
        batch: images of an update, at most; the locality term has as many samples.
        locality: weight of the change of other samples.
        error: tuning stops where the mean error of the images, in [0, 1], is at most this.
        change: the largest mean change of unseen samples, in [0, 1]; updates after the last with less are undone.
        seed: random seed.
    """

    updates: int = 200
    rate: float = 5e-4
    batch: int = 32
    locality: float = 1.0
    error: float = 0.005
    change: float = 0.05
    seed: int = 0

    def __post_init__(self) -> None:
        convert_fields(self)
        limits = (self.locality, self.error, self.change)
        if min(self.updates, self.batch) < 1 or not self.rate > 0 or not all(limit >= 0 for limit in limits):
            raise ValueError(
                f"tuning has updates and batch of 1 or more, a rate above 0, and locality, error and change of 0 or "
                f"more; found {self}"
            )


def tune(
    inversion: Inversion, options: TuneOptions | None = None, say: Callable[[str], None] = lambda _: None
) -> Inversion:
    """Tune a copy of the generator to the images of an inversion, whose points rest: pivotal tuning.

    Roich et al. 2022 (arXiv 2106.05744), for all images at once. The loss is the mean squared error of the images, and
    as locality term that of other samples and those of the unchanged generator: half are samples of the prior, half lie
    at random places between these and the points of the images. Batch norms keep their statistics. The generator of the
    inversion is unchanged.

    Returns:
        The inversion with the tuned generator.

    Raises:
        ValueError: for a generator that is a plain function.
    """
    how, model = options or TuneOptions(), inversion.space.model
    if not isinstance(model.call, nn.Module):
        raise ValueError("tuning changes the weights of a network, and this generator is a plain function")
    tuned = replace(model, call=copy.deepcopy(model.call).eval().requires_grad_(True))
    network = tuned.call
    assert isinstance(network, nn.Module)
    work = _tuning(inversion, space_of(tuned, inversion.space.name), how)
    optimiser = torch.optim.Adam(network.parameters(), how.rate, _BETAS)
    kept, best, end = copy.deepcopy(network.state_dict()), 0, f"after {how.updates} updates"
    for update in range(how.updates):
        optimiser.param_groups[0]["lr"] = how.rate * min((update + 1) / _WARM, 1 - update / how.updates)
        optimiser.zero_grad()
        work.loss(update).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        if (update + 1) % _EVERY and update + 1 < how.updates:
            continue
        if not work.change() <= how.change:  # also where it is NaN
            continue
        kept, best = copy.deepcopy(network.state_dict()), update + 1
        if work.error() <= how.error:
            end = f"after {best} updates, since the error is small"
            break
    if best < update + 1:
        end += f", of which those after {best} are undone, since they changed other samples too much"
    network.load_state_dict(kept)
    network.requires_grad_(False)
    say(f"tuning ended {end}: error {work.error():.4f}, change of other samples {work.change():.4f}")
    return replace(inversion, tuned=tuned)


@dataclass(frozen=True, eq=False)
class _Tuning:
    """An inversion whose generator is tuned, samples for the locality term, and others to measure it by."""

    inversion: Inversion
    space: Space
    how: TuneOptions
    drawn: Inputs
    points: Tensor
    others: Inputs
    places: Tensor
    before: Tensor

    def loss(self, update: int) -> Tensor:
        """The loss of an update, whose images and samples are a function of its number."""
        made, draw = self.inversion, stream(self.how.seed, "tune", update)
        count = min(self.how.batch, len(made.points))
        rows = torch.randperm(len(made.points), generator=draw)[:count]
        images = self._images(self.space, made.points[rows], made.inputs.rows(rows))
        value = squared_error(images, made.targets[rows], made.weights[rows]).mean()
        if not self.how.locality:
            return value
        points, inputs = self._elsewhere(draw)
        with torch.no_grad():
            unchanged = self._images(made.space, points, inputs)
        far = squared_error(self._images(self.space, points, inputs), unchanged).mean()
        return value + self.how.locality * far

    def _elsewhere(self, draw: torch.Generator) -> tuple[Tensor, Inputs]:
        """Samples of the prior, and as many points between samples and images, under the condition of these."""
        half = max(1, self.how.batch // 2)
        rows = torch.randint(len(self.points), (2 * half,), generator=draw)
        ends, pivots = rows[half:], torch.randint(len(self.inversion.points), (half,), generator=draw)
        share = torch.rand(half, generator=draw).view(-1, *[1] * (self.points.dim() - 1))
        between = torch.lerp(self.inversion.points[pivots], self.points[ends], share)
        one, other = self.drawn.rows(rows[:half]), self.inversion.inputs.rows(pivots)
        c = None if one.c is None or other.c is None else torch.cat([one.c, other.c])
        return torch.cat([self.points[rows[:half]], between]), Inputs(torch.cat([one.z, other.z]), c)

    @staticmethod
    def _images(space: Space, points: Tensor, inputs: Inputs) -> Tensor:
        """The images of points, differentiable in the weights of the generator."""
        return space.model.decoded(space.outputs(points, inputs).float().cpu())

    def error(self) -> float:
        """The mean error of the images."""
        made = self.inversion
        with torch.no_grad():
            images = self.space.images(made.points, made.inputs)
        return float(distance(images, made.targets, made.weights).mean())

    def change(self) -> float:
        """The mean change of samples that tuning has not seen."""
        with torch.no_grad():
            return float(distance(self.space.images(self.places, self.others), self.before).mean())


@torch.no_grad()
def _tuning(inversion: Inversion, space: Space, how: TuneOptions) -> _Tuning:
    before, model = inversion.space, inversion.space.model
    drawn, others = model.inputs(_DRAWN, how.seed), model.inputs(_CHECKED, how.seed + 1)
    places = before.at(others)
    images = before.images(places, others)
    return _Tuning(inversion, space, how, drawn, before.at(drawn), others, places, images)
