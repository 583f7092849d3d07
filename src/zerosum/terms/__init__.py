"""What is added to a player's loss, or done to its weights: penalties, schedules, projections."""

from zerosum import _rooms

_rooms.open_room(__name__)
