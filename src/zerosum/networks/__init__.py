"""The players' bodies: each family is a pair of small values that build modules for any data."""

from typing import TYPE_CHECKING, Any

from zerosum._rooms import public

globals().update(public(__name__))

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...
