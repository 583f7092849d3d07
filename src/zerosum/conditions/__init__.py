"""Kinds of conditions: what the condition c of a sample is, from the data to the report."""

from zerosum import _rooms

_rooms.open_room(__name__)
