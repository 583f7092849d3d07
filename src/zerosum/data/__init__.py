"""Data: every source opens as a `Dataset`, images or points with random access by index."""

from zerosum._rooms import open_room

open_room(__name__)
