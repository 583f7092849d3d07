"""The report of a run: one self-contained HTML page."""

from zerosum import _rooms

_rooms.open_room(__name__)
