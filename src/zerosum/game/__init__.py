"""The game itself: turns, players, the alternating step, the average of the generator, the ranks."""

from typing import TYPE_CHECKING, Any

from zerosum._rooms import public

globals().update(public(__name__))

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...
