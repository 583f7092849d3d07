"""See why training fails: the dynamics of games small enough to be drawn."""

from zerosum import _rooms

_rooms.open_room(__name__)
