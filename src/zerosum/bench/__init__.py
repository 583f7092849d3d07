"""Benchmarks: methods compared over seeds on data with known modes or constraints."""

from zerosum import _rooms

_rooms.open_room(__name__)
