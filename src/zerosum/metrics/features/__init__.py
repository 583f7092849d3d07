"""Extractors: what a score sees of an image. uint8 images in, features out."""

from typing import Any

from zerosum._rooms import find


def __getattr__(name: str) -> Any:
    return find(__name__, name)


def __dir__() -> list[str]:
    return [*find(__name__, "__all__")]
