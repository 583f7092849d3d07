"""See why training fails: signals and symptoms of runs with advice, films, and games small enough to be drawn."""

from zerosum import _rooms

_rooms.open_room(__name__)
