"""The distortion gallery of a side, whatever it is given as."""

__all__ = ()

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from zerosum.data.sources.digits import Digits
from zerosum.evaluation.config import EvaluationConfig
from zerosum.evaluation.gathered import Progress
from zerosum.evaluation.sanity.detection import Sanity, check_sanity
from zerosum.evaluation.sets import Side, open_side
from zerosum.probes.structure import Faces

USUAL = 1_000  # pictures where nobody says how many


def sanity_of(
    real: Any, other: Any, config: EvaluationConfig, say: Callable[[str], None], progress: Progress | None = None
) -> Sanity:
    """Spoil the pictures of a side, and see which score notices what: see `sanity`.

    Args:
        real: the side, whatever `open_side` takes, of pictures.
        other: a side whose pictures are mixed in; None for embedded ones: digits among coloured pictures, drawn faces
            among grey ones.
        manner: how; its n counts the pictures in all, by default 1,000, of which half are spoilt.
        say: is told sentences that the user should read.
        progress: is told the pictures seen and those to be seen.

    Raises:
        ValueError: for sides without pictures, and as `sanity`.
    """
    side = open_side(real, config.where, config.known)
    images, labels = _pictures(side, config)
    if other is None:
        other = Digits() if side.shape[2] == 3 else Faces(count=max(len(images) // 2, 1))
    foreign = open_side(other, config.where, config.known)
    for one in (side, foreign):
        for note in one.notes:
            say(f"{one.name}: {note}")
    theirs, _ = _pictures(foreign, replace(config, n=max(len(images) // 2, 2)))
    found = check_sanity(images, config.extractor(), labels, theirs, config.seed, config.batch, progress)
    for note in found.notes:
        say(f"{side.name}: {note}")
    return found


def _pictures(side: Side, config: EvaluationConfig) -> tuple[Tensor, Tensor | None]:
    """Pictures `(N, H, W, C)` of a side, and their labels where it has some."""
    if side.kind != "images" or side.take is None:
        raise ValueError(f"{side.name} holds no pictures that could be spoilt, but {side.kind}")
    wanted = config.n or USUAL
    sample = side.take(wanted if side.count is None else min(wanted, side.count), config.seed)
    return torch.cat([piece for piece in sample.pieces() if isinstance(piece, Tensor)]), sample.labels
