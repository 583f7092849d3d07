"""The user's cache folder."""

import os
from pathlib import Path

from zerosum._paths import home_folder


def cache_folder(what: str) -> Path:
    """The cache folder `zerosum/what` in `XDG_CACHE_HOME`, or in `~/.cache`; raises `OSError` if there is no home."""
    folder = os.environ.get("XDG_CACHE_HOME")
    return (Path(folder) if folder else home_folder() / ".cache") / "zerosum" / what
