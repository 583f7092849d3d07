"""Extractors: what a score sees of an image. uint8 images in, features out."""

from zerosum import _rooms

_rooms.open_room(__name__)
