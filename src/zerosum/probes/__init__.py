"""Probes: synthetic data that keep a rule, and the detectors of violations."""

from zerosum import _rooms

_rooms.open_room(__name__)
