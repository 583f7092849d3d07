"""Evaluation of generated samples against real ones."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy
import torch
from torch import Tensor

from zerosum import __version__
from zerosum.evaluation.cache import gather_cached
from zerosum.evaluation.config import MIN_SAMPLES, EvaluationConfig
from zerosum.evaluation.gathered import NO_FEATURES, OF_SAMPLES, Gathered, Need, Progress, gather
from zerosum.evaluation.group_moments import scratch_folder
from zerosum.evaluation.latent_map import latent_map
from zerosum.evaluation.matching import check_pairs, reference_labels, with_classes, with_conditions
from zerosum.evaluation.measure import Measure, MeasureInput, MetricFunction, Score, chosen, computed, protocol_of
from zerosum.evaluation.scores import Scores
from zerosum.evaluation.sets import Sample, SampleSet, images_at, open_set
from zerosum.evaluation.stored import StoredMoments
from zerosum.features.extractor import Extractor, Features, extracted
from zerosum.features.identity import identified, is_identified

DEFAULT_METRICS = ("fid", "kid")
MAX_SAMPLES = 50_000  # default number of samples of a generator: that of the reference set, up to this
DEFAULT_SAMPLES = 10_000  # default number of samples of a generator that serves as the reference set
GIVEN_FEATURES = {"name": "given", "weights": "none", "resize": "none", "dtype": "none"}  # precomputed features
UNUSED_FEATURES = GIVEN_FEATURES | {"name": "no"}  # of metrics of images alone

_PLAIN = EvaluationConfig()


def evaluate(
    real: Any,
    fake: Any,
    metrics: Sequence[str | Measure | MetricFunction] = DEFAULT_METRICS,
    config: EvaluationConfig = _PLAIN,
    held_out: Any = None,
) -> Scores:
    """Score generated samples against real ones. To score several generated sets against one, use `Evaluator`.

    Args:
        real: the reference set, in any format that `open_set` accepts.
        fake: the generated set, in the same formats.
        metrics: names, such as `fid`, `kid`, `prdc`; metrics with options, such as `PRDC(k=5)`, or of your own; or
            plain functions of real and generated features, which `FunctionMeasure` describes.
        config: features, number of samples, seed, batch size, device and cache.
        held_out: real samples that the generator was not trained on, for the metrics that need them.

    Raises:
        ValueError: if the sets cannot be scored or compared.
    """
    return Evaluator(real, metrics, config, held_out).score(fake)


@dataclass(eq=False)
class Evaluator:
    """Scores any number of generated sets against one reference set, whose features are computed once.

    Attributes:
        real: the reference set, in any format that `open_set` accepts.
        metrics: names of metrics, metrics, or functions, as in `evaluate`.
        config: features, number of samples, seed, batch size, device and cache.
        held_out: real samples that the generator was not trained on, for the metrics that need them.
        say: called with messages for the user.
        progress: called with the number of samples done and in total.

    Raises:
        ValueError: if the sets cannot be scored or compared.
    """

    real: Any
    metrics: Sequence[str | Measure | MetricFunction] = DEFAULT_METRICS
    config: EvaluationConfig = _PLAIN
    held_out: Any = None
    say: Callable[[str], None] | None = None
    progress: Progress | None = None

    def __post_init__(self) -> None:
        self.measures = chosen(self.metrics, self.config.known)
        asking = [measure.name for measure in self.measures if measure.needs.held_out]
        if asking and self.held_out is None:
            raise ValueError(f"{asking[0]} needs real samples held out of training: pass held_out (--held-out)")
        self._gathered_sets: dict[str, Gathered] = {}
        self._reported: set[str] = set()
        self.reference = self._open(self.real)
        self.facts = self._facts(self.reference)

    def score(self, fake: Any, name: str | None = None) -> Scores:
        """Return the scores of one generated set; `name` is its name in the protocol, by default what was passed."""
        data = self._open(fake)
        data = data if name is None else replace(data, name=name)
        self._match(data)
        real, held_out = self._gathered_real(), self._gathered_held_out()
        needs = _union(measure.needs.fake for measure in self.measures)
        with scratch_folder() as folder:
            sample = with_classes(self.reference, data, self._sample(data, self._count(real)), needs)
            if self._pairs:
                check_pairs(self.reference, data, real.count, sample.count)
            found = gather(data, sample, self._extract, needs, self.config.batch, folder, self.progress)
            found = with_conditions(self.reference, found, needs, self.config.seed)
            if "paths" in needs:
                found = replace(found, paths=latent_map(data, lambda: self._extractor))
            scores: dict[str, Score] = {}
            for measure in self.measures:
                scores |= computed(measure, MeasureInput(real, found, held_out, self.config.seed))
        if found.content == real.content:
            self._report(f"{data.name} and {self.reference.name} are the same samples: unbiased scores can be below 0")
        values = {key: score.value for key, score in scores.items()}
        errors = {key: score.error for key, score in scores.items() if score.error is not None}
        pairs = [tuple(pair) for score in scores.values() if score.pairs is not None for pair in score.pairs.tolist()]
        infos = {key: info for measure in self.measures for key, info in measure.gives.items()}
        better = {key: str(infos[key].better) for key in values}
        return Scores(values, errors, self._protocol(data, found), tuple(pairs), better)

    def pair_images(self, fake: Any, pairs: Sequence[tuple[int, int]]) -> tuple[Tensor, Tensor] | None:
        """Return the images of `Scores.pairs` of a generated set: generated and real, uint8 `(count, H, W, C)` each.

        The images are read, or generated, again. Returns None if either set has no images.
        """
        data = open_set(fake, self.config.where, self.config.known)
        if data.kind != "images" or self.reference.kind != "images":
            return None
        generated = self._sample(data, self._count(self._gathered_real()))
        firsts, seconds = zip(*pairs, strict=True)
        return images_at(generated, firsts), images_at(self._sample(self.reference, DEFAULT_SAMPLES), seconds)

    def stored_moments(self) -> StoredMoments:
        """Return the moments of the reference set, to be saved for metrics of moments, such as `fid`."""
        real = self._gathered_real()
        if real.moments is None:
            raise ValueError("moments are only computed for fid: add it to the metrics")
        return StoredMoments(real.moments, self.facts, real.content, self.reference.shape)

    def _report(self, sentence: str) -> None:
        if self.say is not None and sentence not in self._reported:
            self.say(sentence)
        self._reported.add(sentence)

    def _open(self, given: Any) -> SampleSet:
        data = open_set(given, self.config.where, self.config.known)
        for note in data.notes:
            self._report(f"{data.name}: {note}")
        return data

    def _facts(self, data: SampleSet) -> Mapping[str, str]:
        """Facts of the extractor of a set; raises `ValueError` if it has features already and others are requested."""
        if data.stored is not None:
            return data.stored.features
        if data.kind == "images":
            needs = _union(need for one in self.measures for need in (one.needs.real, one.needs.fake))
            return self._identity if needs - NO_FEATURES else UNUSED_FEATURES
        if self.config.features is not None:
            raise ValueError(f"{data.name} contains features, not images: leave out --features (config.features)")
        return GIVEN_FEATURES

    @cached_property
    def _extractor(self) -> Extractor:
        return self.config.extractor(self.progress)

    @cached_property
    def _identity(self) -> Mapping[str, str]:
        others = None if self.reference.kind != "images" else self._few_of_reference
        return identified(self._extractor, self.reference.shape, self.config.batch, others)

    def _few_of_reference(self) -> Tensor:
        return images_at(self._sample(self.reference, DEFAULT_SAMPLES), range(MIN_SAMPLES))

    def _extract(self, images: Tensor) -> Features:
        return extracted(self._extractor, images)

    def _match(self, data: SampleSet) -> None:
        """Raise `ValueError` if a set cannot be compared with the reference set."""
        if data.kind == "moments":
            raise ValueError(f"{data.name} contains only moments, but a generated set needs samples")
        facts = self._facts(data)
        unlike = sorted(key for key in {*facts, *self.facts} if facts.get(key) != self.facts.get(key))
        if unlike:
            differences = ", ".join(f"{key} is {self.facts.get(key)} and {facts.get(key)}" for key in unlike)
            raise ValueError(f"{self.reference.name} and {data.name} have different features: {differences}")
        compared = slice(2) if data.kind == "images" else slice(None)
        first, second = self.reference.shape[compared], data.shape[compared]
        if first != second:
            raise ValueError(
                f"samples of {self.reference.name} are {_format_shape(first)} and those of {data.name} "
                f"{_format_shape(second)}: resize both to one size, for example with Images('folder', size=64)"
            )

    @property
    def _pairs(self) -> bool:
        return any("pairs" in measure.needs.fake for measure in self.measures)

    def _count(self, real: Gathered) -> int:
        """Number of samples of a generator if `n` is not set."""
        return real.count if self._pairs else min(real.count, MAX_SAMPLES)

    def _sample(self, data: SampleSet, default: int) -> Sample:
        """The samples that are used of a set; of a generator `default` samples if `n` is not set."""
        assert data.take is not None
        wanted, there = self.config.n, data.count
        if there is None:
            n = wanted or max(default, MIN_SAMPLES)
            if data.take_under is not None and self.reference.conditions is not None:
                if self._pairs:
                    n = default  # one for each real sample, also where there are fewer than `n` of them
                return data.take_under(n, self.config.seed, self.reference.conditions(self.config.seed))
            labels = reference_labels(self.reference, data, n, self.config.seed)
            if labels is None or data.take_labelled is None:
                return data.take(n, self.config.seed)
            return data.take_labelled(n, self.config.seed, labels)
        if there < MIN_SAMPLES:
            raise ValueError(f"{data.name} has {there} sample, but scores need at least {MIN_SAMPLES} in each set")
        if wanted is not None and there < wanted:
            self._report(f"{data.name} has only {there:,} of the {wanted:,} requested samples: all are used")
        return data.take(min(wanted or there, there), self.config.seed)

    def _gathered_real(self) -> Gathered:
        needs = _union(measure.needs.real for measure in self.measures)
        if self.reference.stored is None:
            return self._once("real", self.reference, needs)
        more = [measure.name for measure in self.measures if measure.needs.real - {"moments"}]
        if more:
            missing = " and ".join(sorted(needs - {"moments"}))
            raise ValueError(f"{self.reference.name} contains only moments, but {more[0]} needs real {missing}")
        stored = self.reference.stored
        return Gathered(self.reference.name, stored.moments.count, stored.content, stored.moments)

    def _gathered_held_out(self) -> Gathered | None:
        needs = _union(measure.needs.held_out for measure in self.measures)
        if not needs or "held_out" in self._gathered_sets:
            return self._gathered_sets.get("held_out")
        data = self._open(self.held_out)
        self._match(data)
        return self._once("held_out", data, needs)

    def _once(self, what: str, data: SampleSet, needs: frozenset[Need]) -> Gathered:
        """What is gathered of a set that is used for all scores; computed once."""
        if what not in self._gathered_sets:
            sample, batch = self._sample(data, DEFAULT_SAMPLES), self.config.batch
            kept = is_identified(self.facts) and self.config.cache and data.kind == "images" and data.count is not None
            if kept and needs & {"moments", "features"} and not needs & OF_SAMPLES:
                found, problem = gather_cached(data, sample, self._extract, needs, batch, self.facts, self.progress)
                self._gathered_sets[what] = found
                if problem is not None:
                    self._report(f"the features of {data.name} cannot be cached: {problem}")
            else:
                found = gather(data, sample, self._extract, needs, batch, progress=self.progress)
                self._gathered_sets[what] = with_conditions(self.reference, found, needs, self.config.seed)
        return self._gathered_sets[what]

    def _protocol(self, data: SampleSet, found: Gathered) -> dict[str, str | int]:
        """How the scores were computed, as texts and numbers."""
        protocol: dict[str, str | int] = {}
        for name, one in {"real": self._gathered_real(), "fake": found, **self._gathered_sets}.items():
            protocol |= {name: one.name, f"{name}.n": one.count, f"{name}.content": one.content}
        protocol |= {f"real.{name}": fact for name, fact in self.reference.facts.items()}
        protocol |= {f"fake.{name}": fact for name, fact in data.facts.items()}
        if data.take_labelled is not None:
            protocol["fake.classes"] = (
                "uniform" if reference_labels(self.reference, data, 1, self.config.seed) is None else "as in real"
            )
        protocol |= {f"features.{name}": fact for name, fact in self.facts.items()}
        protocol |= {f"metric.{measure.name}": protocol_of(measure) for measure in self.measures}
        protocol |= {
            "shape": _format_shape(self.reference.shape),
            "seed": self.config.seed,
            "device": self.config.where.type,
        }
        return protocol | {"zerosum": __version__, "torch": torch.__version__, "numpy": numpy.__version__}


def _union(needs: Iterable[frozenset[Need]]) -> frozenset[Need]:
    return frozenset().union(*needs)


def _format_shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
