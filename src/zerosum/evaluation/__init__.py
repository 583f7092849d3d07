"""Scores of one side against another: what was compared, how, and how sure it is."""

from zerosum._rooms import open_room

open_room(__name__)
