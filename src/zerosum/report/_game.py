"""The section on the game of points over training: data and samples, D, the optimal D, and divergences."""

import numpy as np
from PIL import Image

from zerosum._arrays import evenly_to_the_end
from zerosum.diagnostics.films import Film, film
from zerosum.diagnostics.scenes import film_images
from zerosum.plots.curves import Curve, Level, line_chart
from zerosum.report._html import Section, figure, joined, prose
from zerosum.runs.images import inline_image
from zerosum.runs.run import Run

_STOPS = 8  # frames on the page, at most


def game(run: Run) -> Section | None:
    """Return a slider over up to eight frames of the film of a run, and its curves; None for a run without frames."""
    found = film(run)
    if found is None:
        return None
    places = evenly_to_the_end(len(found.frames), _STOPS)
    images = film_images(found, places)
    stops = []
    for place, image in zip(places, images, strict=True):
        caption = f"{found.frames[place].images:,} points"
        checked = " checked" if place == places[-1] else ""
        stops.append(
            f'<input type="radio" name="game" aria-label="{caption}" title="{caption}"{checked}>'
            + figure(inline_image(image.quantize(64, Image.Quantize.FASTOCTREE), f"the game after {caption}"), caption)
        )
    slider = f'<div class="slider" style="--stops:{len(stops)}">{joined(stops)}</div>'
    charts = f'<div class="panels">{joined(_charts(found))}</div>'
    text = (
        f"Move the mark, also by the arrow keys. {_method(found)} zerosum watch draws all {len(found.frames)} frames."
    )
    return Section("game", "The game over training", joined([prose(text), slider, charts]))


def _charts(found: Film) -> list[str]:
    x = np.array([one.frame.images for one in found.moments], np.float64)
    js = np.array([one.js for one in found.moments])
    value = np.array([float(one.frame.value) for one in found.moments])
    panels = [
        _chart("Jensen-Shannon divergence", [Curve(x, js)], (Level(float(np.log(2)), "log 2"),), "of data and samples")
    ]
    if found.bound:
        both = [Curve(x, value, "V"), Curve(x, 2 * js - 2 * np.log(2), "2 JS − log 4")]
        words = "V is at most 2 JS − log 4, which the optimal discriminator reaches, but for sampling noise"
        panels.append(_chart("Value of the game", both, (), words))
    elif np.isfinite(value).any():
        panels.append(_chart("Value of the game", [Curve(x, value)], (), "minus the loss of D"))
    gaps = [(one.frame.images, one.gap) for one in found.moments if one.gap is not None]
    if gaps:
        curve = Curve(*np.array(gaps, np.float64).T)
        panels.append(_chart("|D − D*|", [curve], (), "mean over real and generated points alike"))
    return panels


def _chart(heading: str, curves: list[Curve], levels: tuple[Level, ...], words: str) -> str:
    chart = line_chart(curves, levels, "points seen", heading)
    return f'<div class="panel"><h4>{heading}</h4>{chart}{prose(words[0].upper() + words[1:] + ".")}</div>'


def _method(found: Film) -> str:
    """How densities are known or estimated, and what the scores mean, in sentences."""
    source = "known" if found.known else f"estimated from {len(found.data.real):,} points"
    count = f"{len(found.frames[0].samples):,}"
    change = f"follows from G at {count} quantiles of its latent by the change of variables"
    made = change if found.exact else f"is estimated from {count} points"
    words = f"The density of the data is {source}, that of the samples {made}."
    if found.bandwidth:
        blur = " x ".join(dict.fromkeys(f"{one:.2g}" for one in (found.bandwidth * found.data.scale).tolist()))
        words += (
            f" Both are blurred by a Gaussian kernel of standard deviation {blur}, the likeliest for the data: the "
            f"divergence is a lower bound, but for sampling noise. As many real points have {found.noise:.3g}."
        )
    if found.optimum:
        words += " D* = p / (p + q) is the optimal D of these densities, without penalties"
        words += " and without the augmentation of D's inputs." if found.recipe.augment is not None else "."
    elif found.field(found.frames[0]) is not None:
        subject = found.score if found.score.startswith("D") else f"The {found.score}"
        words += f" {subject} is no probability, so there is no D* to compare with."
    return words + " Samples are of the live generator, which D plays against."
