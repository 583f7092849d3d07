"""Where functions come from, for the protocol of scores by functions."""

import hashlib
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any


def file_of(call: Callable[..., Any]) -> str:
    """Return the name of the file with a function, which is the same however it was imported; else of its module."""
    try:
        return Path(inspect.getfile(call if inspect.isroutine(call) else type(call))).stem
    except (OSError, TypeError):
        return call.__module__


def source_of(call: Callable[..., Any]) -> str:
    """Return the first 16 digits of the sha256 of a function's source code; "unknown" if it is not available."""
    try:
        text = inspect.getsource(call if inspect.isroutine(call) else type(call))
    except (OSError, TypeError):
        return "unknown"
    return hashlib.sha256(text.encode()).hexdigest()[:16]
