"""Invert images: the points of a space whose samples are most like them; and complete drawings."""

__all__ = ["InvertOptions", "complete", "invert"]

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from zerosum._arrays import Array, described, tensor
from zerosum.features.extractor import extractor_named
from zerosum.features.perceptual_distance import PerceptualDistance
from zerosum.latent._descent import Stage, descend
from zerosum.latent._starts import Candidates, candidates, encoded, encoder_of, nearest, nearest_of_all, pool_of
from zerosum.latent.inversion import Inversion, squared_error
from zerosum.latent.model import Inputs
from zerosum.latent.space import Prior, Space
from zerosum.recipes.fit import convert_fields
from zerosum.runs.facts import check_at_most, check_seed

Score = Callable[[Tensor, Inputs], Tensor]
Loss = Callable[[Tensor, Inputs, Tensor, Tensor], Tensor]
"""Maps outputs, inputs, indices of images, and squared distances from the starts, all of `(B,)`, to losses `(B,)`."""
_FEWEST_ENCODED = 10  # images by which an encoder can be trained and measured
_MOST = 1_000_000  # steps, and samples among which the nearest are found
_KEPT = 2  # starts that are left after the first quarter of the steps
_NOISE = 0.1  # standard deviation of what samples miss of a pixel, in [0, 1]
_SCORED = 500  # samples whose scores are those of the prior
_TYPICAL = 0.3  # quantile of the scores of samples, below which one costs something
_SCORE_WEIGHT = 0.01  # of a standard deviation of the scores below it


@dataclass(frozen=True)
class InvertOptions:
    """How images are inverted.

    Attributes:
        starts: samples nearest to an image from which the search starts; one of each class that is tried at least.
        steps: of gradient descent: a quarter from all starts, half from the best two, and a quarter from the best one.
        pool: samples among which the nearest are found.
        encoder: images, counted with repetition, by which an encoder is trained on samples, 10 or more; what it
            predicts is a further start. 0 for none.
        features: feature extractor of the perceptual loss, as `random-conv` or `alexnet`; empty for none.
        perceptual: weight of the perceptual loss, beside the mean squared error of pixels in [0, 1].
        seed: random seed.
    """

    starts: int = 4
    steps: int = 400
    pool: int = 2000
    encoder: int = 20_000
    features: str = "random-conv"
    perceptual: float = 0.001
    seed: int = 0

    def __post_init__(self) -> None:
        convert_fields(self)
        if min(self.starts, self.pool) < 1 or self.steps < 4 or self.encoder < 0 or not self.perceptual >= 0:
            raise ValueError(
                f"an inversion has starts and pool of 1, steps of 4, encoder and perceptual of 0 or more; found {self}"
            )
        check_at_most(self.pool, {"starts": self.starts})
        check_at_most(_MOST, {"steps": self.steps, "pool": self.pool})
        check_at_most(100 * _MOST, {"encoder": self.encoder})
        check_seed(self.seed)
        if 0 < self.encoder < _FEWEST_ENCODED:
            raise ValueError(f"an encoder is trained on {_FEWEST_ENCODED} images or more; found {self.encoder}")


def invert(space: Space, images: Array, wanted: Any = None, options: InvertOptions | None = None) -> Inversion:
    """The points of a space whose samples are most like some images, by gradient descent through G.

    All images, starts and classes are moved together. The loss is the mean squared error of pixels, for the last
    quarter of the steps with a perceptual distance (Zhu et al. 2016, arXiv 1609.03552; Abdal et al. 2019, arXiv
    1904.03189). Points stay within the radius of the prior.

    Args:
        space: the space to search.
        images: uint8 `(N, H, W, C)`, as returned by `sample`, or float `(N, C, H, W)` in [-1, 1].
        wanted: a condition for each image, as for `sample`; None for all classes, of which the best is chosen, or for
            eight examples of another condition.
        options: starts, steps, encoder and losses.

    Raises:
        ValueError: for images of another shape, with NaN, or of one colour; for conditions that the generator does not
            have; where samples do not depend on the space.
    """
    how, targets = options or InvertOptions(), targets_of(space, images)
    search = _Search(
        space, how, targets, torch.ones_like(targets[:, :1]), candidates(space.model, len(targets), wanted)
    )
    perceptual = PerceptualDistance(extractor_named(how.features)) if how.features and how.perceptual else None

    def both(made: Tensor, inputs: Inputs, of: Tensor, moved: Tensor) -> Tensor:
        assert perceptual is not None
        far: Tensor = perceptual(space.model.decoded(made), targets[of])
        return search.pixels(made, inputs, of, moved) + how.perceptual * far

    quarter, pixels = how.steps // 4, search.pixels
    last = (how.steps, 1, pixels if perceptual is None else both)
    return search.found([(quarter, _KEPT, pixels), (3 * quarter, 1, pixels), last], encoder=how.encoder > 0)


def complete(
    space: Space,
    drawings: Array,
    masks: Tensor,
    proposals: int = 4,
    wanted: Any = None,
    options: InvertOptions | None = None,
    score: Score | None = None,
) -> Inversion:
    """Points whose samples agree with the drawn pixels of images, several proposals for each.

    As `invert`, by the pixels of the mask alone. A few pixels fit any class at some point of the space, so the search
    starts from the nearest samples of all classes, one for each proposal, and each stays near its own: the loss is
    minus the logarithm of the posterior of a normal prior, with that sample as mean, and normal noise of .1 of each
    pixel (Bardsley et al. 2014, doi 10.1137/140964023). After the first quarter of the steps a score, such as D's,
    below the 30 % quantile of samples costs something, so that proposals look like samples.

    Args:
        space: the space to search.
        drawings: as images of `invert`; undrawn pixels may have any value.
        masks: which pixels are drawn, `(N, 1, H, W)`, weights in [0, 1].
        proposals: for each drawing, the best first.
        wanted: as for `invert`.
        options: as for `invert`; there is no perceptual loss.
        score: maps outputs of the network and inputs to a score `(B,)`, higher for better samples, differentiable.

    Returns:
        `N * proposals` points, those of a drawing together.

    Raises:
        ValueError: as for `invert`, where nothing is drawn, and for weights outside [0, 1].
    """
    how = options or InvertOptions()
    targets = targets_of(space, drawings, plain=True)
    shape, weights = tuple(targets[:, :1].shape), masks.detach().float().cpu()
    drawn = weights.shape == shape and bool((weights.amax((1, 2, 3)) > 0).all())
    if proposals < 1 or not drawn or not bool(((weights >= 0) & (weights <= 1)).all()):
        raise ValueError(
            f"drawings need masks {shape} in [0, 1] that are not empty, and a proposal or more; found "
            f"{tuple(masks.shape)} and {proposals}"
        )
    search = _Search(space, how, targets, weights, candidates(space.model, len(targets), wanted))
    least, spread = (0.0, 1.0) if score is None else _typical(space, score, how.seed)
    known = weights.sum((1, 2, 3)) * targets.shape[1]
    share = _NOISE**2 * space.draw(1).numel() / known

    def near(made: Tensor, inputs: Inputs, of: Tensor, moved: Tensor) -> Tensor:
        return search.pixels(made, inputs, of, moved) + share[of] * moved

    def both(made: Tensor, inputs: Inputs, of: Tensor, moved: Tensor) -> Tensor:
        value = near(made, inputs, of, moved)
        if score is None:
            return value
        return value + _SCORE_WEIGHT * (least - score(made, inputs)).clamp_min(0) / spread

    stages = [(how.steps // 4, proposals, near), (how.steps, proposals, both)]
    return search.found(stages, proposals)


def _typical(space: Space, score: Score, seed: int) -> tuple[float, float]:
    """The score that most samples exceed, and the standard deviation of scores."""
    inputs = space.model.inputs(_SCORED, seed)
    with torch.no_grad():
        scores = score(space.batches(space.at(inputs), inputs), inputs).double()
    return float(scores.quantile(_TYPICAL)), max(float(scores.std()), 1e-12)


@dataclass(frozen=True, eq=False)
class _Search:
    """A search for the points of targets `(n, C, H, W)` with weights of pixels `(n, 1, H, W)`."""

    space: Space
    how: InvertOptions
    targets: Tensor
    weights: Tensor
    tried: Candidates

    def pixels(self, made: Tensor, inputs: Inputs, of: Tensor, moved: Tensor) -> Tensor:
        """The mean squared error over the pixels of the targets `of`, in [0, 1]."""
        return squared_error(self.space.model.decoded(made), self.targets[of], self.weights[of])

    def found(self, stages: Sequence[tuple[int, int, Loss]], proposals: int = 0, encoder: bool = False) -> Inversion:
        """The points after stages that end at a step, after each of which so many starts of an image are kept.

        For proposals the search starts from the nearest samples of all, else from the nearest of each candidate.
        """
        prior, n = self.space.prior(self.how.seed), len(self.targets)
        of, points, inputs = self._starts(prior, proposals, encoder)
        first, begin = points, 0
        for end, kept, loss in stages:
            stage, begin = Stage(begin, end, self.how.steps), end
            one = partial(_of_images, loss, of, first, prior)
            points, losses = descend(self.space, prior, points, inputs, one, stage)
            each = len(of) // n
            best = losses.view(n, each).topk(min(kept, each), 1, largest=False).indices
            rows = (torch.arange(n)[:, None] * each + best).flatten()
            of, first, points, inputs = of[rows], first[rows], points[rows], inputs.rows(rows)
        return Inversion(self.space, points, inputs, self.targets[of], self.weights[of])

    def _starts(self, prior: Prior, proposals: int, encoder: bool) -> tuple[Tensor, Tensor, Inputs]:
        """The image, the point and the inputs of each start: equally many of each image, image by image."""
        how, n, classes = self.how, len(self.targets), self.tried.allowed.shape[1]
        count = max(proposals, how.starts)
        each = -(-count // classes)
        pool = pool_of(self.space, self.tried, how.pool, how.seed, each)
        find, number = (nearest_of_all, count) if proposals else (nearest, each)
        places = find(pool, self.tried, self.targets, self.weights, number)
        points = pool.points[places]
        if encoder:
            network = encoder_of(self.space, prior, how.encoder, how.seed)
            first = places[:, :classes]  # the nearest of each candidate
            predicted = encoded(network, prior, self.targets)[:, None].expand(n, first.shape[1], *points.shape[2:])
            places, points = torch.cat([places, first], 1), torch.cat([points, predicted], 1)
        of = torch.arange(n)[:, None].expand(places.shape).flatten()
        return of, points.flatten(0, 1), pool.inputs.rows(places.flatten())


def _of_images(
    loss: Loss, of: Tensor, first: Tensor, prior: Prior, made: Tensor, inputs: Inputs, points: Tensor, rows: Tensor
) -> Tensor:
    moved = ((points - first[rows]) / prior.std).flatten(1).square().mean(1)
    return loss(made, inputs, of[rows], moved)


def targets_of(space: Space, images: Array, plain: bool = False) -> Tensor:
    """Images as float `(N, C, H, W)` in [-1, 1]; constant ones are allowed if `plain`.

    Raises `ValueError` for images of another shape, with NaN, or of one colour.
    """
    found = tensor(images)
    if found.dtype == torch.uint8 and found.dim() == 4:
        found = found.float().div(127.5).sub(1).movedim(-1, 1)
    inputs = space.model.inputs(1)
    with torch.no_grad():
        shape = space.images(space.at(inputs), inputs).shape[1:]
    if found.shape[1:] != shape or not len(found) or not found.is_floating_point():
        c, h, w = shape
        raise ValueError(
            f"this generator makes images of {h}x{w} pixels: give uint8 (N, {h}, {w}, {c}) or float (N, {c}, {h}, {w}) "
            f"in [-1, 1]; found {described(tensor(images))}"
        )
    made = found.detach().float().cpu()
    if not bool((made.abs() <= 1 + 1e-4).all()):  # false of NaN
        raise ValueError("images have finite values in [-1, 1]; found NaN or values outside")
    constant = of_one_colour(made).nonzero().flatten().tolist()
    if constant and not plain:
        raise ValueError(f"image {constant[0]} has one colour throughout: there is nothing to invert")
    return made


def of_one_colour(images: Tensor) -> Tensor:
    """Whether all pixels of an image `(n, C, H, W)` are the same, bool `(n,)`."""
    flat = images.flatten(2)
    return (flat.amax(2) == flat.amin(2)).all(1)
