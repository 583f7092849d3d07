"""Evaluating sides against a real one."""

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy
import torch
from torch import Tensor

from zerosum import __version__
from zerosum.evaluation.cache import entry
from zerosum.evaluation.config import LEAST, EvaluationConfig
from zerosum.evaluation.gathered import Gathered, Need, Progress, digest, gather
from zerosum.evaluation.measure import Measure, Plain, Score, Sides, chosen
from zerosum.evaluation.scores import Scores
from zerosum.evaluation.sets import Sample, Side, open_side, picked
from zerosum.evaluation.stored import StoredMoments
from zerosum.features.extractor import Extractor, Features
from zerosum.game.random import stream

USUAL = ("fid", "kid")
MOST = 50_000  # samples of a generator where nobody says how many: as many as the other side has, up to this
UNASKED = 10_000  # samples of a generator that is the real side, likewise
GIVEN = {"name": "given", "weights": "none", "resize": "none", "dtype": "none"}  # of features that came as such


_PLAIN = EvaluationConfig()


def evaluate(
    real: Any,
    fake: Any,
    metrics: Sequence[str | Measure | Plain] = USUAL,
    config: EvaluationConfig = _PLAIN,
    held_out: Any = None,
) -> Scores:
    """Score one side against another; `Evaluator` scores many against one.

    Args:
        real: the side that is right, whatever `open_side` takes.
        fake: the side that is judged, likewise.
        metrics: names, such as `fid`, `kid`, `prdc`; metrics with options, such as `PRDC(k=5)`, or of your own; or
            plain functions of real and generated features, which `FunctionMeasure` describes.
        manner: how.
        held_out: real samples that the generator was not trained on, for the metrics that need some.

    Raises:
        ValueError: in one sentence, for what cannot be scored.
    """
    return Evaluator(real, metrics, config, held_out).score(fake)


@dataclass(eq=False)
class Evaluator:
    """Scores of any number of sides against one real side, which is looked at once.

    Attributes:
        real: the side that is right, whatever `open_side` takes.
        metrics: names of metrics, metrics, or functions, as `evaluate` takes them.
        manner: how.
        held_out: real samples that the generator was not trained on, for the metrics that need some.
        say: is told sentences that the user should read.
        progress: is told the samples done and in all.

    Raises:
        ValueError: in one sentence, for what cannot be scored.
    """

    real: Any
    metrics: Sequence[str | Measure | Plain] = USUAL
    config: EvaluationConfig = _PLAIN
    held_out: Any = None
    say: Callable[[str], None] | None = None
    progress: Progress | None = None

    def __post_init__(self) -> None:
        self.measures = chosen(self.metrics)
        asking = [measure.name for measure in self.measures if measure.needs.held_out]
        if asking and self.held_out is None:
            raise ValueError(f"{asking[0]} compares with real samples that were held out of training: give some")
        self._extractor: Extractor | None = None
        self._known: dict[str, Gathered] = {}
        self._said: set[str] = set()
        self.side = self._opened(self.real)
        self.facts = self._facts(self.side)

    def score(self, fake: Any, name: str | None = None) -> Scores:
        """The scores of one side; `name` is what the protocol calls it, by default what it was given as."""
        side = self._opened(fake)
        side = side if name is None else replace(side, name=name)
        self._match(side)
        real, held_out = self._looked_at_real(), self._looked_at_held_out()
        needs = _together(measure.needs.fake for measure in self.measures)
        with tempfile.TemporaryDirectory(prefix="zerosum-") as folder:
            sample = self._in_its_classes(side, self._sample(side, min(real.count, MOST)), needs)
            found = gather(side, sample, self._see, needs, self.config.batch, Path(folder), self.progress)
            scores: dict[str, Score] = {}
            for measure in self.measures:
                scores |= _computed(measure, Sides(real, found, held_out, self.config.seed))
        if found.content == real.content:
            self._tell(f"{side.name} and {self.side.name} are the same samples: unbiased scores come out below 0")
        values = {key: score.value for key, score in scores.items()}
        errors = {key: score.error for key, score in scores.items() if score.error is not None}
        pairs = [tuple(pair) for score in scores.values() if score.pairs is not None for pair in score.pairs.tolist()]
        infos = {key: info for measure in self.measures for key, info in measure.gives.items()}
        better = {key: str(infos[key].better) for key in values}
        return Scores(values, errors, self._protocol(side, found), tuple(pairs), better)

    def pictured(self, fake: Any, pairs: Sequence[tuple[int, int]]) -> tuple[Tensor, Tensor] | None:
        """The pictures of the pairs of the scores of a side: generated and real ones, uint8 `(count, H, W, C)` each.

        They are read, or drawn, once more. None where either side holds no pictures.
        """
        side = open_side(fake, self.config.where, self.config.known)
        if side.kind != "images" or self.side.kind != "images":
            return None
        generated = self._sample(side, min(self._looked_at_real().count, MOST))
        firsts, seconds = ([pair[place] for pair in pairs] for place in (0, 1))
        return picked(generated, firsts), picked(self._sample(self.side, UNASKED), seconds)

    def stored(self) -> StoredMoments:
        """The moments of the real side, to be kept in a file; for metrics of moments, such as `fid`."""
        real = self._looked_at_real()
        if real.moments is None:
            raise ValueError("moments are gathered where fid is asked for: add it to the metrics")
        return StoredMoments(real.moments, self.facts, real.content, self.side.shape)

    def _tell(self, sentence: str) -> None:
        if self.say is not None and sentence not in self._said:
            self.say(sentence)
        self._said.add(sentence)

    def _opened(self, given: Any) -> Side:
        side = open_side(given, self.config.where, self.config.known)
        for note in side.notes:
            self._tell(f"{side.name}: {note}")
        return side

    def _facts(self, side: Side) -> Mapping[str, str]:
        """What makes the features of a side; raises `ValueError` where it has some and others are asked for."""
        if side.stored is not None:
            return side.stored.features
        if side.kind == "images":
            return self._looking().facts
        if self.config.features is not None:
            raise ValueError(f"{side.name} holds features already, and no pictures of which to take others")
        return GIVEN

    def _looking(self) -> Extractor:
        if self._extractor is None:
            self._extractor = self.config.extractor(self.progress)
        return self._extractor

    def _see(self, images: Tensor) -> Features:
        return self._looking()(images)

    def _match(self, side: Side) -> None:
        """Raise `ValueError` where a side cannot be compared with the real one."""
        if side.kind == "moments":
            raise ValueError(f"{side.name} holds moments alone, and of a side that is judged samples are needed")
        facts = self._facts(side)
        unlike = sorted(key for key in {*facts, *self.facts} if facts.get(key) != self.facts.get(key))
        if unlike:
            told = ", ".join(f"{key} is {self.facts.get(key)} and {facts.get(key)}" for key in unlike)
            raise ValueError(f"{self.side.name} and {side.name} are not seen by the same features: {told}")
        shown = slice(2) if side.kind == "images" else slice(None)
        first, second = self.side.shape[shown], side.shape[shown]
        if first != second:
            raise ValueError(
                f"samples of {self.side.name} are {_times(first)} and those of {side.name} {_times(second)}: "
                f"bring both to one size, as Images('folder', size=64) does"
            )

    def _sample(self, side: Side, unasked: int) -> Sample:
        """The samples that are taken of a side; `unasked` of a generator, where nobody says how many."""
        assert side.take is not None
        wanted, there = self.config.n, side.count
        if there is None:
            n = wanted or max(unasked, LEAST)
            labels = self._as_often(side, n)
            if labels is None or side.ask is None:
                return side.take(n, self.config.seed)
            return side.ask(n, self.config.seed, labels)
        if there < LEAST:
            raise ValueError(f"{side.name} has {there} sample, and scores need at least {LEAST} of each side")
        if wanted is not None and there < wanted:
            self._tell(f"{side.name} has {there:,} of the {wanted:,} samples asked for: all are taken")
        return side.take(min(wanted or there, there), self.config.seed)

    def _as_often(self, side: Side, n: int) -> Tensor | None:
        """Labels `(n,)` to ask a generator for, each class as often as in the real set and in chance order.

        None where it goes round its classes evenly: where it has none, or others, or the real set has all alike.
        """
        counts = self.side.counts
        if side.ask is None or counts is None or side.classes != self.side.classes or bool((counts == counts[0]).all()):
            return None
        places = (torch.arange(n, dtype=torch.float64) + 0.5) / n * float(counts.sum())
        labels = torch.searchsorted(counts.cumsum(0).double(), places, right=True)
        return labels[torch.randperm(n, generator=stream(self.config.seed, "evaluation labels", n))]

    def _in_its_classes(self, side: Side, sample: Sample, needs: frozenset[Need]) -> Sample:
        """The sample with labels as the real side counts its classes: classes go by name."""
        if "labels" not in needs or sample.labels is None or side.classes == self.side.classes:
            return sample
        strange = [name for name in side.classes if name not in self.side.classes]
        if strange:
            raise ValueError(f"{side.name} has a class {strange[0]!r} that {self.side.name} has not: give both alike")
        places = torch.tensor([self.side.classes.index(name) for name in side.classes])
        return replace(sample, labels=places[sample.labels])

    def _looked_at_real(self) -> Gathered:
        needs = _together(measure.needs.real for measure in self.measures)
        if self.side.stored is None:
            return self._once("real", self.side, needs)
        more = [measure.name for measure in self.measures if measure.needs.real - {"moments"}]
        if more:
            told = " and ".join(sorted(needs - {"moments"}))
            raise ValueError(f"{self.side.name} holds moments alone, and {more[0]} needs {told} of the real side")
        stored = self.side.stored
        return Gathered(self.side.name, stored.moments.count, stored.content, stored.moments)

    def _looked_at_held_out(self) -> Gathered | None:
        needs = _together(measure.needs.held_out for measure in self.measures)
        if not needs or "held_out" in self._known:
            return self._known.get("held_out")
        side = self._opened(self.held_out)
        self._match(side)
        return self._once("held_out", side, needs)

    def _once(self, what: str, side: Side, needs: frozenset[Need]) -> Gathered:
        """What is gathered of a side that every score is made with, once."""
        if what not in self._known:
            self._known[what] = self._gathered(side, self._sample(side, UNASKED), needs)
        return self._known[what]

    def _gathered(self, side: Side, sample: Sample, needs: frozenset[Need]) -> Gathered:
        """What is needed of a side, from the cache if it was looked at before."""
        batch = self.config.batch
        can_be_kept = bool(needs & {"moments", "features"}) and "images" not in needs
        if not self.config.cache or not can_be_kept or side.kind != "images" or side.count is None:
            return gather(side, sample, self._see, needs, batch, progress=self.progress)
        hashed = digest(sample, self.progress)
        place = entry(hashed.row, self.facts)
        rows = place.features() if "features" in needs else None
        if rows is not None and len(rows) == sample.count:
            before = Sample(sample.count, lambda: map(Features, torch.split(rows, batch)), sample.labels)
            return replace(gather(side, before, self._see, needs, batch), content=hashed.content)
        moments = place.moments() if "features" not in needs else None
        if moments is not None and moments.count == sample.count:
            return Gathered(side.name, sample.count, hashed.content, moments)
        found = gather(side, sample, self._see, needs, batch, progress=self.progress)
        try:
            place.store(found)
        except OSError as error:
            self._tell(f"what was seen of {side.name} cannot be kept for the next time: {error}")
        return found

    def _protocol(self, side: Side, found: Gathered) -> dict[str, str | int]:
        """How the scores were made, in plain texts and numbers."""
        told: dict[str, str | int] = {}
        for name, one in {"real": self._looked_at_real(), "fake": found, **self._known}.items():
            told |= {name: one.name, f"{name}.n": one.count, f"{name}.content": one.content}
        told |= {f"real.{name}": fact for name, fact in self.side.facts.items()}
        told |= {f"fake.{name}": fact for name, fact in side.facts.items()}
        if side.ask is not None:
            told["fake.classes"] = "evenly" if self._as_often(side, 1) is None else "as often as real"
        told |= {f"features.{name}": fact for name, fact in self.facts.items()}
        told |= {f"metric.{measure.name}": measure.how for measure in self.measures}
        told |= {"shape": _times(self.side.shape), "seed": self.config.seed, "device": self.config.where.type}
        return told | {"zerosum": __version__, "torch": torch.__version__, "numpy": numpy.__version__}


def _computed(measure: Measure, sides: Sides) -> Mapping[str, Score]:
    found = measure(sides)
    if found.keys() != measure.gives.keys():
        names, given = (", ".join(some) or "none" for some in (measure.gives, found))
        raise ValueError(f"the metric {measure.name} should return the scores {names}; found {given}")
    return found


def _together(needs: Iterable[frozenset[Need]]) -> frozenset[Need]:
    return frozenset().union(*needs)


def _times(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
