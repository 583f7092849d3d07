"""The loop around the game: data in, pictures, log lines and checkpoints out."""

from zerosum import _rooms

_rooms.open_room(__name__)
