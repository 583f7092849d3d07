"""Benches: games compared over seeds, on sets whose truth is known."""

from zerosum._rooms import open_room

open_room(__name__)
