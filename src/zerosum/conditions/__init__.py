"""Kinds of conditions: what the condition c of a sample is, from the data to the report."""

from zerosum._rooms import open_room

open_room(__name__)
