"""The run folder: checkpoints, the log, and the trained generator that sampling needs."""

from zerosum import _rooms

_rooms.open_room(__name__)
