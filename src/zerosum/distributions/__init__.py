"""Distributions on the line: CDF, inverse CDF, density, and sampling by inverse transform."""

from zerosum import _rooms

_rooms.open_room(__name__)
