"""Recipes are values: one frozen dataclass defines a whole run, and its repr is the config file."""

from zerosum import _rooms

_rooms.open_room(__name__)
