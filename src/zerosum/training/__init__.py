"""The loop around the game: data in, pictures, log lines and checkpoints out."""

from zerosum._rooms import open_room

open_room(__name__)
