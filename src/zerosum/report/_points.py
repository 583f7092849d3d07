"""The sections for points: in the plane, on the line, and against a known distribution."""

from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from zerosum._arrays import evenly
from zerosum.data.dataset import Dataset, Multimodal
from zerosum.metrics.modes import mode_coverage, mode_radius
from zerosum.plots.curves import Curve, line_chart
from zerosum.plots.points import histogram, scatter
from zerosum.report._html import Section, figure, prose
from zerosum.runs.generator import TrainedGenerator
from zerosum.runs.images import inline_image
from zerosum.runs.latents import latent_quantiles
from zerosum.runs.live import differs

_SAMPLES = 2_500  # as in the literature on mode coverage
_PLACES = 400


class _InverseCDF(Protocol):
    def inverse_cdf(self, u: Tensor) -> Tensor: ...


@runtime_checkable
class _KnownDistribution(Protocol):
    """A source of samples of a known distribution on the line."""

    @property
    def distribution(self) -> _InverseCDF: ...


def points(generator: TrainedGenerator, dataset: Dataset, live: TrainedGenerator | None = None) -> Section:
    """Return generated points over real ones: a scatter plot, or a histogram in one dimension.

    Points of the live generator are shown too where they differ from those of its average.
    """
    moving = live.sample(_SAMPLES) if live is not None and differs(generator, live) else None
    made = generator.sample(_SAMPLES)
    real = dataset.read(evenly(len(dataset), 2 * _SAMPLES)).numpy()
    text = f"{len(made):,} generated points (orange) and {len(real):,} real ones (blue)."
    if moving is not None:
        text += (
            " Green: points of the live generator, whose weights are not averaged. It still moves, and the averaged "
            "generator, between its states, need not look like any of them."
        )
    source = generator.recipe.data
    if made.shape[1] == 1:
        image = histogram(made, real, transparent=True, live=moving)
        return Section("points", "Real and generated", figure(inline_image(image, text), text, "wide"))
    if made.shape[1] > 2:
        text += f" Their {made.shape[1]} dimensions are projected onto two principal components of the real ones."
    if not isinstance(source, Multimodal):
        image = scatter(made, real, transparent=True, live=moving)
        return Section("points", "Real and generated", figure(inline_image(image, text), text, "plane"))
    centres, radius = source.centres(), mode_radius(made.shape[1])
    image = scatter(made, real, centres.numpy(), radius * source.std, transparent=True, live=moving)
    found = mode_coverage(torch.from_numpy(made), centres, source.std)
    summary = (
        f"{found.found} of {found.modes} modes found; {found.high_quality:.1%} of the points are within {radius:.3g} "
        "standard deviations of a mode (grey circles), compared with 98.9 % of real ones."
    )
    if moving is not None:
        other = mode_coverage(torch.from_numpy(moving), centres, source.std)
        summary += f" The live generator finds {other.found}, with {other.high_quality:.1%} of its points near one."
    return Section("points", "Real and generated", prose(summary) + figure(inline_image(image, text), text, "plane"))


def learned_map(generator: TrainedGenerator) -> Section | None:
    """Return the learned map of the generator against the inverse CDF of the data distribution, if that is known.

    For a one-dimensional latent z the map is x = G(z), plotted over u = F(z), with F the CDF of z. For other latents
    the quantiles of samples are plotted instead.
    """
    source = generator.recipe.data
    if generator.shape != (1,) or generator.recipe.conditional or not isinstance(source, _KnownDistribution):
        return None
    u = (np.arange(_PLACES) + 0.5) / _PLACES
    distribution = source.distribution.inverse_cdf(torch.from_numpy(u)).double().numpy()
    z = latent_quantiles(generator.recipe.latent, torch.from_numpy(u))
    if z is None:
        learned = np.quantile(generator.sample(_PLACES * 25)[:, 0].astype(np.float64), u)
        text = "Quantiles of the samples against the inverse CDF of the data distribution, F⁻¹(u)."
    else:
        learned = generator.render(z)[:, 0].astype(np.float64)
        text = "The output of the generator for the latent at the quantile u, against the inverse CDF F⁻¹(u)."
        if np.abs(learned - distribution).mean() > np.abs(learned[::-1] - distribution).mean():
            learned = learned[::-1]
            text += " The generator learned the mirrored map (the same distribution); G is plotted over 1 − u."
    gap = float(np.median(np.abs(learned - distribution)))
    text += f" The median absolute difference is {gap:.3g}."
    curves = [Curve(u, distribution, "inverse CDF"), Curve(u, learned, "generator")]
    chart = line_chart(curves, x_label="u", title="learned map and inverse CDF")
    return Section("map", "Learned map", figure(chart, text, "map"))
