"""Scores at the end of a run: the last evaluation, mode coverage and class accuracy."""

__all__ = ()

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch

from zerosum._disk import replace_durably
from zerosum.data.dataset import Dataset, Multimodal, Source
from zerosum.metrics.modes import mode_coverage
from zerosum.runs.files import CLASSIFIER, SCORES
from zerosum.runs.generator import TrainedGenerator
from zerosum.training.conditional_accuracy import class_accuracy

SAMPLES = 2_500


def write_scores(
    run: Path,
    generator: TrainedGenerator,
    dataset: Dataset,
    source: Source,
    evaluated: Mapping[str, Any] = MappingProxyType({}),
) -> list[str]:
    """Write `scores.json`, if there are scores, and return messages about them.

    The scores are those of the run's evaluations (`evaluated`); for data with known modes, the modes found, share of
    high quality and KL; for class-conditional models, the class accuracy of samples and of real data (its ceiling).
    """
    scores = dict(evaluated)
    messages = []
    if isinstance(source, Multimodal):
        samples = torch.from_numpy(generator.sample(SAMPLES))
        scores |= mode_coverage(samples, source.centres(), source.std).as_dict()
    if generator.classes:
        try:
            found = class_accuracy(generator, dataset.displayed, source, run / CLASSIFIER)
        except ValueError as reason:
            messages.append(str(reason))
        else:
            messages.append(str(found))
            scores |= {
                "class_accuracy": found.accuracy,
                "class_accuracy_ceiling": found.ceiling,
                "class_accuracy_samples": found.samples,
                "class_accuracy_classifier": found.classifier,
                "class_accuracies": found.accuracies,
            }
    if scores:
        replace_durably(run / SCORES, json.dumps(scores, indent=1).encode())
    return messages
