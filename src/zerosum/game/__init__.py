"""The game itself: turns, players, the alternating step, the average of the generator, the ranks."""

from zerosum import _rooms

_rooms.open_room(__name__)
