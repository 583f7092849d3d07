"""zerosum: the toolkit for generative adversarial networks.

The names below load on first use, so that `import zerosum` loads no torch. The subpackages (`zerosum.objectives`,
`zerosum.terms`, `zerosum.networks`, `zerosum.data`, ...) contain the parts.
"""

from zerosum import _rooms

__version__ = "0.1.0"  # the only place: the package's metadata is made from it

_HOMES = {
    "Recipe": "zerosum.recipes.recipe",
    "Run": "zerosum.runs.run",
    "load": "zerosum.runs.generator",
    "read": "zerosum.recipes.reader",
    "train": "zerosum.training.train",
}
_rooms.open_room(__name__)
