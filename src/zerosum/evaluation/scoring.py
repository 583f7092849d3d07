"""Evaluating one side against another."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy
import torch

from zerosum.evaluation.cache import entry
from zerosum.evaluation.gathering import Gathered, Need, Progress, digest, gather
from zerosum.evaluation.manner import LEAST, Manner
from zerosum.evaluation.measures import Measure, Score, Sides, chosen
from zerosum.evaluation.scores import Scores
from zerosum.evaluation.sides import Sample, Side, open_side
from zerosum.evaluation.stored import StoredMoments
from zerosum.metrics.features.extractor import Extractor, Features

USUAL = ("fid", "kid")
MOST = 50_000  # samples of a generator, where nobody says how many
GIVEN = {"name": "given", "weights": "none", "resize": "none", "dtype": "none"}  # of features that came as such


def evaluate(
    real: Any,
    fake: Any,
    metrics: Sequence[str] = USUAL,
    manner: Manner = Manner(),
    held_out: Any = None,
) -> Scores:
    """Score one side against another; see `Evaluator` for many against one.

    Args:
        real: the side that is right, whatever `open_side` takes.
        fake: the side that is judged, likewise.
        metrics: names of measures, as `fid`, `kid`, `prdc`.
        manner: how.
        held_out: real samples that the generator was not trained on, for the measures that need some.

    Raises:
        ValueError: in one sentence, for what cannot be scored.
    """
    return Evaluator(real, metrics, manner, held_out).score(fake)


@dataclass(eq=False)
class Evaluator:
    """Scores of any number of sides against one real side, which is looked at once.

    Attributes:
        real: the side that is right, whatever `open_side` takes.
        metrics: names of measures.
        manner: how.
        held_out: real samples that the generator was not trained on, for the measures that need some.
        say: is told sentences that the user should read.
        progress: is told the samples done and in all.
    """

    real: Any
    metrics: Sequence[str] = USUAL
    manner: Manner = Manner()
    held_out: Any = None
    say: Callable[[str], None] = field(default=lambda _: None)
    progress: Progress = field(default=lambda done, total: None)

    def __post_init__(self) -> None:
        self.measures = chosen(self.metrics)
        self.side = self._opened(self.real)
        lacking = [measure.name for measure in self.measures if measure.held_out]
        if lacking and self.held_out is None:
            raise ValueError(f"{lacking[0]} compares with real samples that were held out of training: give some")

    def score(self, fake: Any, name: str | None = None) -> Scores:
        """The scores of one side; `name` is what the protocol calls it, by default what it was given as."""
        side = self._opened(fake)
        side = side if name is None else replace(side, name=name)
        see, facts = self._seeing(side)
        self._match(side)
        real = self._gathered_real
        with tempfile.TemporaryDirectory() as folder:
            needs = _needs(measure.fake for measure in self.measures)
            sample = self._sample(side, self._wanted(side, real.count))
            found = gather(side, sample, see, needs, self.manner.batch, Path(folder), self.progress)
            held_out = None
            scores: dict[str, Score] = {}
            for measure in self.measures:
                scores |= measure.compute(Sides(real, found, held_out, self.manner.seed))
        values = {key: score.value for key, score in scores.items()}
        errors = {key: score.error for key, score in scores.items() if score.error is not None}
        return Scores(values, errors, self._protocol(side, found, facts))
