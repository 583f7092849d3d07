# Written by `make stubs`; do not edit.
"""Pictures: what people look at, as Pillow images."""

from zerosum.pictures import curves as curves
from zerosum.pictures import mosaic as mosaic
from zerosum.pictures import partners as partners
from zerosum.pictures import points as points
from zerosum.pictures.curves import Curve as Curve
from zerosum.pictures.curves import Level as Level
from zerosum.pictures.curves import line_chart as line_chart
from zerosum.pictures.mosaic import grid as grid
from zerosum.pictures.partners import pairs as pairs
from zerosum.pictures.points import histogram as histogram
from zerosum.pictures.points import scatter as scatter
