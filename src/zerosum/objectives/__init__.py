"""What the players want: scores in, scalar out. Objectives know no networks, optimisers or penalties."""

from typing import Any

from zerosum._rooms import find


def __getattr__(name: str) -> Any:
    return find(__name__, name)


def __dir__() -> list[str]:
    return [*find(__name__, "__all__")]
