# Written by `make stubs`; do not edit.
"""Images: what people look at, as Pillow images."""

from zerosum.plots import curves as curves
from zerosum.plots import grids as grids
from zerosum.plots import image_pairs as image_pairs
from zerosum.plots import panels as panels
from zerosum.plots import points as points
from zerosum.plots.curves import Curve as Curve
from zerosum.plots.curves import Level as Level
from zerosum.plots.curves import Span as Span
from zerosum.plots.curves import line_chart as line_chart
from zerosum.plots.grids import grid as grid
from zerosum.plots.image_pairs import pairs as pairs
from zerosum.plots.points import histogram as histogram
from zerosum.plots.points import scatter as scatter
from zerosum.plots.points import vector_field as vector_field
from zerosum.plots.timeline import Bar as Bar
from zerosum.plots.timeline import timeline as timeline
