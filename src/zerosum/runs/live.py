"""The generator as it is trained, beside its average."""

__all__ = ()

import numpy as np

from zerosum.runs.generator import TrainedGenerator

_SAMPLES = 500
_SHARE = 0.1  # of the spread of the samples, in the mean


def differs(averaged: TrainedGenerator, live: TrainedGenerator) -> bool:
    """Whether samples of two generators from the same latents are visibly different."""
    first, second = (one.sample(_SAMPLES).reshape(_SAMPLES, -1).astype(np.float64) for one in (averaged, live))
    if not np.isfinite(second).all():
        return False
    spread = np.sqrt(max(first.var(0).sum(), second.var(0).sum()))
    return bool(np.linalg.norm(first - second, axis=1).mean() > _SHARE * max(spread, 1e-12))
