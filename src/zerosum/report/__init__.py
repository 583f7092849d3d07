"""The report: one page that shows what a run learned, with nothing to fetch from elsewhere."""

from zerosum import _rooms

_rooms.open_room(__name__)
