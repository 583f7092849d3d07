"""Feature extractors: functions of uint8 images that return features, and their networks as modules."""

from zerosum import _rooms

_rooms.open_room(__name__)
