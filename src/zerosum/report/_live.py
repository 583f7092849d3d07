"""The section on the live generator, whose weights are not averaged, where its samples differ."""

from zerosum.plots.grids import grid
from zerosum.report._html import Section, figure, prose
from zerosum.runs.generator import TrainedGenerator
from zerosum.runs.images import inline_image
from zerosum.runs.live import differs

_SHOWN = 10


def live_images(generator: TrainedGenerator, live: TrainedGenerator) -> Section | None:
    """Return samples of both generators from the same latents; None where they are alike."""
    if not differs(generator, live):
        return None
    text = (
        "The samples of this report are of the averaged generator. Those of the live generator, from the same latents, "
        "differ: it still moves, and its average need not look like any of its states."
    )
    rows = [
        figure(inline_image(grid(one.sample(_SHOWN), columns=_SHOWN), name), f"{name} generator", "row")
        for name, one in (("averaged", generator), ("live", live))
    ]
    return Section("live", "Live and averaged generator", prose(text) + "\n".join(rows))
