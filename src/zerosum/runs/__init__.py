"""The run folder: checkpoints, the log, and the trained generator that sampling needs."""

from zerosum._rooms import open_room

open_room(__name__)
