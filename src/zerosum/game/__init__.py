"""The game itself: turns, players, the alternating step, the average of the generator, the ranks."""

from zerosum._rooms import open_room

open_room(__name__)
