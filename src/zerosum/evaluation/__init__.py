"""Scores of one side against another: what was compared, how, and how sure it is."""

from zerosum import _rooms

_rooms.open_room(__name__)
