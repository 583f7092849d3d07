"""Benches: games compared over seeds, on sets whose truth is known."""

from zerosum import _rooms

_rooms.open_room(__name__)
