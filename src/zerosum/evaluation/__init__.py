"""Scores of one side against another: what was compared, how, and how sure it is."""

from typing import Any

from zerosum._rooms import find


def __getattr__(name: str) -> Any:
    return find(__name__, name)


def __dir__() -> list[str]:
    return [*find(__name__, "__all__")]
