"""Scores that the data itself allows at the end of a run."""

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
    """Write `scores.json` where there is a truth to score by, and return what there is to say of it.

    What the run's evaluations gave (`evaluated`). Where the data knows its modes: modes found, share of high quality,
    KL. Where the game was played by labels: how many samples carry the class asked for, with the same number for real
    ones, which is the judge's ceiling.
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
