"""What is added to a player's loss, or done to its weights: penalties, schedules, projections."""

from zerosum._rooms import open_room

open_room(__name__)
