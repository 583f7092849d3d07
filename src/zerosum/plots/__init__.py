"""Images: what people look at, as Pillow images."""

from zerosum import _rooms

_rooms.open_room(__name__)
