"""Autoencoders: training one, and images as its latents."""

from zerosum import _rooms

_rooms.open_room(__name__)
