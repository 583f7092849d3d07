"""Run folders: checkpoints, the log, and trained generators and discriminators."""

from zerosum import _rooms

_rooms.open_room(__name__)
