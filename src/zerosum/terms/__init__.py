"""Terms of a player's loss and projections of its weights: penalties, regularisers, schedules."""

from zerosum import _rooms

_rooms.open_room(__name__)
