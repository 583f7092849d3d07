"""Numbers on samples and features. Pure functions of tensors."""

from zerosum import _rooms

_rooms.open_room(__name__)
