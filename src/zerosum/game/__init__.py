"""The game: turns, players, the alternating training step, the EMA of the generator, distributed training."""

from zerosum import _rooms

_rooms.open_room(__name__)
