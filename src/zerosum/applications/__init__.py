"""Use trained generators on files: enlarge, translate, colour and fill in images, continue clips."""

from zerosum import _rooms

_rooms.open_room(__name__)
