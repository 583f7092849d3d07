"""Scores that the data itself allows at the end of a run."""

import json
from pathlib import Path

import torch

from zerosum.data.dataset import Multimodal, Source
from zerosum.metrics.modes import mode_coverage
from zerosum.runs.checkpoint import replace_durably
from zerosum.runs.generator import TrainedGenerator

SAMPLES = 2_500


def write_scores(run: Path, generator: TrainedGenerator, data: Source) -> None:
    """Write `scores.json` where the data knows its modes: modes found, share of high quality, KL."""
    if isinstance(data, Multimodal):
        samples = torch.from_numpy(generator.sample(SAMPLES))
        scores = mode_coverage(samples, data.centres(), data.std).as_dict()
        replace_durably(run / "scores.json", json.dumps(scores, indent=1).encode())
