"""Steer a trained generator: latent spaces, paths, attributes of images, and directions that change them."""

from zerosum import _rooms

_rooms.open_room(__name__)
