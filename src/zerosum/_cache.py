"""The user's cache folder."""

import os
from pathlib import Path


def cache_folder(what: str) -> Path:
    """The cache folder `zerosum/what` in `XDG_CACHE_HOME`, or in `~/.cache`."""
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "zerosum" / what
