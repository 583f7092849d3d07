"""The distortion gallery of a set of samples in any format."""

__all__ = ()

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from zerosum.data.sources.digits import Digits
from zerosum.evaluation.config import EvaluationConfig
from zerosum.evaluation.gathered import Progress
from zerosum.evaluation.sanity.detection import Sanity, check_sanity
from zerosum.evaluation.sets import SampleSet, open_set
from zerosum.probes.structure import Faces

DEFAULT_SAMPLES = 1_000  # images, if `n` is not set


def check_sample_set(
    real: Any,
    other: Any,
    config: EvaluationConfig,
    say: Callable[[str], None],
    progress: Progress | None = None,
    metrics: Sequence[str] | None = None,
) -> Sanity:
    """Corrupt the images of a set and report which metrics detect which corruption, with `check_sanity`.

    Args:
        real: a set of images, in any format that `open_set` accepts.
        other: a set whose images contaminate it; None for embedded ones: digits for colour images, `Faces` for grey.
        config: settings; `n` is the total number of images, by default 1,000, of which half are corrupted.
        say: called with messages for the user.
        progress: called with the number of images done and in total.
        metrics: names of metrics; None for all that need only features and, if available, logits.

    Raises:
        ValueError: for sets without images, and as `check_sanity`.
    """
    sample_set = open_set(real, config.where, config.known)
    images, labels = _images(sample_set, config)
    if other is None:
        other = Digits() if sample_set.shape[2] == 3 else Faces(count=max(len(images) // 2, 1))
    contaminant = open_set(other, config.where, config.known)
    for one in (sample_set, contaminant):
        for note in one.notes:
            say(f"{one.name}: {note}")
    other_images, _ = _images(contaminant, replace(config, n=max(len(images) // 2, 2)))
    extractor = config.extractor()
    found = check_sanity(images, extractor, labels, other_images, config.seed, config.batch, progress, metrics)
    for note in found.notes:
        say(f"{sample_set.name}: {note}")
    return found


def _images(sample_set: SampleSet, config: EvaluationConfig) -> tuple[Tensor, Tensor | None]:
    """Images `(N, H, W, C)` of a set, and their labels, if any."""
    if sample_set.kind != "images" or sample_set.take is None:
        raise ValueError(f"{sample_set.name} contains {sample_set.kind}, but --sanity needs images")
    wanted = config.n or DEFAULT_SAMPLES
    sample = sample_set.take(wanted if sample_set.count is None else min(wanted, sample_set.count), config.seed)
    return torch.cat([chunk for chunk in sample.chunks() if isinstance(chunk, Tensor)]), sample.labels
