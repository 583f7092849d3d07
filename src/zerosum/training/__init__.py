"""Training: the loop around the game, which logs, evaluates, saves checkpoints and resumes."""

from zerosum import _rooms

_rooms.open_room(__name__)
