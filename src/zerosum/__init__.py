"""zerosum: the toolkit for generative adversarial networks.

The names below load on first use, so that `import zerosum` loads no torch. The rooms (`zerosum.objectives`,
`zerosum.terms`, `zerosum.networks`, `zerosum.data`, ...) hold the parts.
"""

import importlib
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zerosum.recipes.reader import read as read
    from zerosum.recipes.recipe import Recipe as Recipe
    from zerosum.runs.generator import load as load
    from zerosum.training.run import train as train

__version__ = version("zerosum")

_HOMES = {
    "Recipe": "zerosum.recipes.recipe",
    "read": "zerosum.recipes.reader",
    "load": "zerosum.runs.generator",
    "train": "zerosum.training.run",
}
__all__ = ["Recipe", "__version__", "load", "read", "train"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"zerosum has no {name!r}; it has {', '.join(__all__)}")
