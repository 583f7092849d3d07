"""Recipes are values: one frozen dataclass tells a whole run, and its repr is the config file."""

from zerosum._rooms import open_room

open_room(__name__)
