"""Data: every source opens as a `Dataset`, images or points with random access by index."""

from zerosum import _rooms

_rooms.open_room(__name__)
