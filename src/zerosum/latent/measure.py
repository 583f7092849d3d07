"""Measure a direction: how far it moves its attribute and all others, and how far it may be pushed."""

__all__ = ()

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from zerosum.latent.attribute import Attribute
from zerosum.latent.card import Card
from zerosum.latent.direction import Direction
from zerosum.latent.model import Inputs, LatentModel, seen
from zerosum.latent.space import Space, space_of

STRENGTHS = tuple(half / 2 for half in range(-6, 7))
_RANKED = tuple(half / 2 for half in range(-4, 5))
_LOWEST = 0.1  # quantile of the scores of samples, below which an edited one has left them
_CORRECTIONS = 2
_SCALES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0)


@dataclass(frozen=True, eq=False)
class Ruler:
    """What directions are measured with; nothing of it takes part in finding them.

    Attributes:
        attributes: by name.
        stds: the standard deviation of each attribute, by name.
        values: the values of each attribute over the data, or over samples, by name; NaN where there is none.
        of: what these are of, `data` or `samples`.
        classify: the class of images `(N, C, H, W)` in [-1, 1], int64 `(N,)`; None without classes.
        score: D's score `(N,)` of outputs of the network under conditions; None without D.
    """

    attributes: Mapping[str, Attribute]
    stds: Mapping[str, float]
    values: Mapping[str, Tensor]
    of: str = "samples"
    classify: Callable[[Tensor], Tensor] | None = None
    score: Callable[[Tensor, Inputs], Tensor] | None = None

    def changes(self, name: str, values: Mapping[float, Tensor], low: float, high: float) -> Tensor:
        """The change of an attribute between two strengths for each sample, in standard deviations, `(n,)`."""
        one = self.attributes[name]
        return one.difference(values[high], values[low]) / self.stds[name]

    def alike(self, name: str, other: str) -> float:
        """The size of the correlation of two attributes over images that have both."""
        pair = torch.stack([self.attributes[one].centred(self.values[one]) for one in (name, other)])
        known = pair[:, pair.isfinite().all(0)]
        return abs(float(torch.corrcoef(known)[0, 1])) if known.shape[1] > 1 else 0.0


def calibrated(direction: Direction, model: LatentModel, inputs: Inputs, ruler: Ruler, attribute: str) -> Direction:
    """The direction in units that move the attribute by one standard deviation, and towards higher values.

    Where it cannot be moved so far, one unit is the step that moves it furthest. Raises `ValueError` where nothing
    moves it.
    """
    space = space_of(model, direction.space)
    prior = space.prior()
    typical = float(prior.std.norm())  # of a point's distance from the mean
    vector = direction.vector * (typical / 2 / direction.vector.norm())
    one = ruler.attributes[attribute]
    with torch.no_grad():
        points = space.at(inputs)
        moved = []
        for scale in _SCALES:
            ends = [one(seen(space.images(points + side * scale * vector, inputs))) for side in (1, -1)]
            moved.append(float(one.difference(*ends).nanmean()) / 2 / ruler.stds[attribute])
    furthest = max(range(len(moved)), key=lambda i: abs(moved[i]))
    if abs(moved[furthest]) < 1e-3:
        raise ValueError(f"no step along {direction.name} moves {attribute}: it depends on something else")
    sign = 1.0 if moved[furthest] > 0 else -1.0
    steps, scale = [0.0, *(sign * m for m in moved)], _SCALES[furthest]
    for i in range(1, len(steps)):
        if steps[i] >= 1:
            before = 0.0 if i == 1 else _SCALES[i - 2]
            scale = before + (_SCALES[i - 1] - before) * (1 - steps[i - 1]) / (steps[i] - steps[i - 1])
            break
    return replace(direction, vector=vector * (sign * scale))


def corrected(
    direction: Direction, model: LatentModel, inputs: Inputs, ruler: Ruler, rates: Mapping[str, Tensor], attribute: str
) -> Direction:
    """The direction without what a whole step, unlike an infinitesimal one, still changes of other attributes.

    Changes between -1 and 1 are measured on samples, and undone by the smallest step that does so to first order:
    v - B (B^T B)^-1 (changes - wanted), where the columns of B are the mean gradients; twice.

    Args:
        direction: one unit of it moves the attribute by about one standard deviation.
        model: the generator.
        inputs: inputs of samples.
        ruler: attributes and standard deviations.
        rates: the change of the attribute and of those to keep per change of the point, in standard deviations.
        attribute: the attribute that one unit should change by as much as it does now, at most 1.
    """
    space = space_of(model, direction.space)
    B = torch.stack([rate.flatten() for rate in rates.values()], 1).double()
    with torch.no_grad():
        start = space.at(inputs)
        wanted: Tensor | None = None
        for _ in range(_CORRECTIONS):
            ends = {s: seen(space.images(start + s * direction.vector, inputs)) for s in (-1.0, 1.0)}
            moved = torch.stack(
                [
                    ruler.changes(name, {s: ruler.attributes[name](ends[s]) for s in ends}, -1.0, 1.0).nanmean() / 2
                    for name in rates
                ]
            )
            if wanted is None:
                wanted = torch.where(torch.tensor([name == attribute for name in rates]), moved.clamp(max=1), 0.0)
            step = B @ torch.linalg.lstsq(B.T @ B, moved - wanted).solution
            direction = replace(direction, vector=direction.vector - step.float().view_as(direction.vector))
    return direction


def measured_card(
    direction: Direction,
    model: LatentModel,
    inputs: Inputs,
    ruler: Ruler,
    attribute: str = "",
    removed: tuple[str, ...] = (),
) -> Card:
    """Measure a direction on samples, for an attribute or for the one that it moves most."""
    space = space_of(model, direction.space)
    values, classes, scores, radii = _scan(direction, space, inputs, ruler)
    shifts = {name: float(ruler.changes(name, values[name], -1.0, 1.0).nanmean()) / 2 for name in ruler.attributes}
    main = attribute or max(shifts, key=lambda name: abs(shifts[name]))
    kept, before = _kept(classes, inputs, model)
    low, high, limit = _range(scores, radii, space.prior().far)
    missing = [float(v.isnan().double().mean()) for parts in values.values() for v in parts.values()]
    return Card(
        attribute=main,
        unit=ruler.stds[main],
        of=ruler.of,
        shift=shifts[main],
        rank=_rank(torch.stack([ruler.changes(main, values[main], 0.0, strength) for strength in _RANKED])),
        leakage={name: shift for name, shift in shifts.items() if name != main},
        removed=removed,
        kept=kept,
        kept_before=before,
        low=low,
        high=high,
        limit=limit,
        samples=len(inputs.z),
        without_value=max(missing, default=0.0),
    )


def _scan(direction: Direction, space: Space, inputs: Inputs, ruler: Ruler) -> tuple[Any, ...]:
    """Attributes, classes, scores and radii of samples at each strength."""
    values: dict[str, dict[float, Tensor]] = {name: {} for name in ruler.attributes}
    classes: dict[float, Tensor] = {}
    scores: dict[float, Tensor] = {}
    radii: dict[float, float] = {}
    prior = space.prior()
    with torch.no_grad():
        start = space.at(inputs)
        for strength in STRENGTHS:
            points = start + strength * direction.vector
            radii[strength] = float(prior.radius(points).median())
            outputs = space.batches(points, inputs)
            images = seen(space.model.decoded(outputs))
            for name, one in ruler.attributes.items():  # of edited samples any share may have none
                values[name][strength] = one.call(images).double() if strength else one(images)
            if ruler.classify is not None and abs(strength) in (0.0, 1.0):
                classes[strength] = ruler.classify(images)
            if ruler.score is not None:
                scores[strength] = ruler.score(outputs, inputs)
    return values, classes, scores, radii


def _kept(classes: Mapping[float, Tensor], inputs: Inputs, model: LatentModel) -> tuple[float | None, float | None]:
    if not classes:
        return None, None
    has_classes = model.condition is not None and bool(model.condition.classes)
    wanted = inputs.c if has_classes and inputs.c is not None else classes[0.0]
    shares = {strength: float((found == wanted).double().mean()) for strength, found in classes.items()}
    return (shares[-1.0] + shares[1.0]) / 2, shares[0.0]


def _range(scores: Mapping[float, Tensor], radii: Mapping[float, float], far: float) -> tuple[float, float, str]:
    """The strengths between which the median sample stays within the scores and the radius of samples."""
    least = float(scores[0.0].double().quantile(_LOWEST)) if scores else 0.0
    ends, limits = [0.0, 0.0], []
    for side, sign in enumerate((-1, 1)):
        for strength in sorted({abs(s) for s in STRENGTHS if s}):
            if radii[sign * strength] > far:
                limits.append("radius")
                break
            if scores and float(scores[sign * strength].double().median()) < least:
                limits.append("score")
                break
            ends[side] = sign * strength
    return ends[0], ends[1], limits[0] if limits else ""


def _rank(changes: Tensor) -> float:
    """The mean over samples of the rank correlation of strength and change; `(strengths, n)`, ties at mean ranks."""
    known = changes[:, changes.isfinite().all(0)]
    if not known.shape[1]:
        return 0.0
    less = (known[:, None] < known[None]).double().sum(1)  # of other strengths that are higher
    ranks = (known[:, None] > known[None]).double().sum(1) - less
    steps = torch.arange(len(known), dtype=torch.float64)
    steps = (steps - steps.mean())[:, None]
    norms = ranks.norm(dim=0) * steps.norm()
    found = torch.where(norms > 0, (ranks * steps).sum(0) / norms.clamp_min(1e-12), 0.0)
    return float(found.mean())
