"""The loop around the game: data in, pictures, log lines and checkpoints out."""

from typing import TYPE_CHECKING, Any

from zerosum._rooms import public

globals().update(public(__name__))

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...
