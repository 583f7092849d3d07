"""What is added to a player's loss, or done to its weights: penalties, schedules, projections."""

from typing import TYPE_CHECKING, Any

from zerosum._rooms import public

globals().update(public(__name__))

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...
