"""Evaluation of generated samples against a reference set: metrics, standard errors and protocols."""

from zerosum import _rooms

_rooms.open_room(__name__)
