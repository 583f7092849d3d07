"""The players' bodies: each family is a pair of small values that build modules for any data."""

from zerosum._rooms import open_room

open_room(__name__)
