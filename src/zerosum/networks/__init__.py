"""The players' bodies: each family is a pair of small values that build modules for any data."""

from zerosum import _rooms

_rooms.open_room(__name__)
