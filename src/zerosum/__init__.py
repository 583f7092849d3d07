"""zerosum: the toolkit for generative adversarial networks.

The names below load on first use, so that `import zerosum` loads no torch. The rooms (`zerosum.objectives`,
`zerosum.terms`, `zerosum.networks`, `zerosum.data`, ...) hold the parts.
"""

import importlib
import sys
from typing import Any

from zerosum._rooms import missing, submodules

__version__ = "0.1.0"  # the only place: the package's metadata is made from it

_HOMES = {
    "Recipe": "zerosum.recipes.recipe",
    "Run": "zerosum.runs.run",
    "read": "zerosum.recipes.reader",
    "load": "zerosum.runs.generator",
    "train": "zerosum.training.run",
}
__all__ = ["Recipe", "Run", "__version__", "load", "read", "train"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    if not name.startswith("_") and name in submodules(sys.modules[__name__]):
        return importlib.import_module(f"{__name__}.{name}")
    raise missing(__name__, name, __dir__())


def __dir__() -> list[str]:
    return sorted([*__all__, *submodules(sys.modules[__name__])])
