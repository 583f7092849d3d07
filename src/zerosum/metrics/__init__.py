"""Numbers on samples and features. Pure functions of tensors, of numpy arrays or of lists."""

from zerosum import _rooms

_rooms.open_room(__name__)
